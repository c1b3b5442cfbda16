"""Bodies of deliveries: the lists, and what agents are given and report."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import (
    Flag,
    QueryText,
    Text,
    WholeNumber,
)
from core.api.pagination import OffsetListQuery
from core.api.rows import RowSerializer
from webhooks.api.serializers.examples import STACK_ID, URL, WEBHOOK_ID
from webhooks.api.serializers.numbers import INT_COLUMN
from webhooks.models import Delivery, Status
from webhooks.services.deliveries import AgentClaim

_DELIVERY_ID = "0193f0e2-2c00-7d4e-9e00-5b6c7d8e9f0a"
_EVENT_ID = "0193f0e2-2bff-7a1b-8c00-6c7d8e9f0a1b"
_PAYLOAD = (
    f'{{"id":"{_EVENT_ID}","event_type":"stack.deleted","timestamp":"2026-11-24T09:30:00.000000Z",'
    f'"data":{{"stack_id":"{STACK_ID}","deleted_at":"2026-11-24T09:30:00.000000Z"}}}}'
)
_DELIVERY = {
    "id": _DELIVERY_ID,
    "subscription_id": WEBHOOK_ID,
    "event_type": "stack.deleted",
    "event_id": _EVENT_ID,
    "payload": _PAYLOAD,
    "target_labels": None,
    "status": "success",
    "acquired_by": None,
    "acquired_until": None,
    "attempts": 1,
    "last_attempt_at": "2026-11-24T09:30:02.000000Z",
    "next_retry_at": None,
    "last_error": None,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "completed_at": "2026-11-24T09:30:02.000000Z",
}


class _DeliverySerializer(RowSerializer[Delivery]):
    subscription_id = serializers.UUIDField(read_only=True)
    acquired_by = serializers.UUIDField(source="acquired_by_id", allow_null=True, read_only=True)
    acquired_until = serializers.DateTimeField(allow_null=True, read_only=True)
    next_retry_at = serializers.DateTimeField(allow_null=True, read_only=True)


@extend_schema_serializer(examples=[OpenApiExample("Delivered", value=_DELIVERY, response_only=True)])
class DeliverySerializer(_DeliverySerializer):
    target_labels = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "subscription_id",
            "event_type",
            "event_id",
            "payload",
            "target_labels",
            "status",
            "acquired_by",
            "acquired_until",
            "attempts",
            "last_attempt_at",
            "next_retry_at",
            "last_error",
            "created_at",
            "completed_at",
        ]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Delivered",
            value={
                name: value for name, value in _DELIVERY.items() if name not in {"payload", "acquired_until"}
            }
            | {"subscription_name": "tell ci", "target_labels": []},
            response_only=True,
        )
    ]
)
class FeedItemSerializer(_DeliverySerializer):
    """A delivery without its payload; no target labels are the broker's."""

    subscription_name = serializers.CharField(source="subscription.name", read_only=True)
    target_labels = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = [
            "id",
            "subscription_id",
            "subscription_name",
            "event_type",
            "event_id",
            "status",
            "attempts",
            "created_at",
            "target_labels",
            "acquired_by",
            "last_attempt_at",
            "next_retry_at",
            "last_error",
            "completed_at",
        ]
        read_only_fields = fields

    def get_target_labels(self, delivery: Delivery) -> list[str]:
        return delivery.target_labels or []


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "To be sent",
            value={
                "id": _DELIVERY_ID,
                "subscription_id": WEBHOOK_ID,
                "event_type": "stack.deleted",
                "payload": _PAYLOAD,
                "url": URL,
                "auth_header": None,
                "timeout_seconds": 30,
                "max_retries": 5,
                "attempts": 0,
            },
            response_only=True,
        )
    ]
)
class AgentDeliverySerializer(serializers.Serializer[AgentClaim]):
    """What an agent needs to deliver: `payload` is sent as it is."""

    id = serializers.UUIDField(source="delivery.id")
    subscription_id = serializers.UUIDField(source="delivery.subscription_id")
    event_type = serializers.CharField(source="delivery.event_type")
    payload = serializers.CharField(source="delivery.payload")
    url = serializers.CharField()
    auth_header = serializers.CharField(allow_null=True)
    timeout_seconds = serializers.IntegerField(source="delivery.subscription.timeout_seconds")
    max_retries = serializers.IntegerField(source="delivery.subscription.max_retries")
    attempts = serializers.IntegerField(source="delivery.attempts")


@extend_schema_serializer(
    examples=[
        OpenApiExample("It failed", value={"success": False, "status_code": 503, "error": "unavailable"})
    ]
)
class ResultBody(serializers.Serializer[Any]):
    success = Flag()
    status_code = WholeNumber(required=False, allow_null=True, default=None, **INT_COLUMN)
    error = Text(required=False, allow_null=True, default=None)
    duration_ms = WholeNumber(
        required=False,
        allow_null=True,
        default=None,
        **INT_COLUMN,
        help_text="How long it took; for the metrics.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "It will be tried again",
            value={
                "status": "failed",
                "delivery_id": _DELIVERY_ID,
                "attempts": 1,
                "next_retry_at": "2026-11-24T09:30:04.000000Z",
            },
            response_only=True,
        )
    ]
)
class ResultSerializer(serializers.Serializer[Delivery]):
    """Where the report has left the delivery."""

    status = serializers.ChoiceField(choices=Status.choices)
    delivery_id = serializers.UUIDField(source="id")
    attempts = serializers.IntegerField()
    next_retry_at = serializers.DateTimeField(allow_null=True)


class DeliveryListQuery(OffsetListQuery):
    status = QueryText(required=False, help_text="Only this status.")


class FeedQuery(OffsetListQuery):
    status = serializers.ChoiceField(choices=Status.choices, required=False, help_text="Only this status.")
