from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import (
    FILLED_RULE,
    LABEL_RULE,
    NAME_RULE,
    Flag,
    Id,
    NullIsAbsent,
    QueryText,
    Text,
    WholeNumber,
)
from core.api.pagination import OffsetListQuery
from webhooks.errors import UnsupportedField
from webhooks.event_types import MAX_EVENT_TYPE
from webhooks.models import Delivery, Status, Subscription
from webhooks.models.subscription import MAX_RETRIES, MAX_TIMEOUT_SECONDS
from webhooks.services.deliveries import AgentClaim
from webhooks.services.subscriptions import LONGEST_OVERLAP

_WEBHOOK_ID = "0193f0e1-1b00-7c3e-8d00-4a5b6c7d8e9f"
_DELIVERY_ID = "0193f0e2-2c00-7d4e-9e00-5b6c7d8e9f0a"
_EVENT_ID = "0193f0e2-2bff-7a1b-8c00-6c7d8e9f0a1b"
_STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_URL = "https://ci.example.com/hooks/brokkr"
_WEBHOOK = {
    "id": _WEBHOOK_ID,
    "name": "tell ci",
    "has_url": True,
    "has_auth_header": False,
    "event_types": ["deployment.*"],
    "filters": {"stack_id": _STACK_ID},
    "target_labels": None,
    "enabled": True,
    "max_retries": 5,
    "timeout_seconds": 30,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "created_by": "admin",
}
_SECRET = "whsec_bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGU="  # noqa: S105  # it says so itself
_PAYLOAD = (
    f'{{"id":"{_EVENT_ID}","event_type":"stack.deleted","timestamp":"2026-11-24T09:30:00.000000Z",'
    f'"data":{{"stack_id":"{_STACK_ID}","deleted_at":"2026-11-24T09:30:00.000000Z"}}}}'
)
_DELIVERY = {
    "id": _DELIVERY_ID,
    "subscription_id": _WEBHOOK_ID,
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
URL_RULE = {"pattern": r"^https?://[^\u0000\s]+$"}
PATTERN_RULE = FILLED_RULE | {"maxLength": MAX_EVENT_TYPE}
RETRIES_RULE = {"minimum": 0, "maximum": MAX_RETRIES}
TIMEOUT_RULE = {"minimum": 1, "maximum": MAX_TIMEOUT_SECONDS}
# A 32-bit column; what is within it and out of range is for the service to refuse.
_INT: Any = {"min_value": -(2**31), "max_value": 2**31 - 1}


class FiltersSerializer(serializers.Serializer[Any]):
    """Only events whose data have these values; what an event's data lack they do not equal."""

    agent_id = Id(required=False, allow_null=True)
    stack_id = Id(required=False, allow_null=True)


_FILTER = {"type": ["string", "null"], "format": "uuid"}


@extend_schema_field(
    {
        "type": "object",
        "properties": {"agent_id": _FILTER, "stack_id": _FILTER},
        # Others would have no effect, and are refused.
        "additionalProperties": False,
    }
)
class FiltersBody(FiltersSerializer):
    pass


@extend_schema_serializer(examples=[OpenApiExample("A webhook", value=_WEBHOOK, response_only=True)])
class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """The URL and the header are never shown. `filters` is left out when none is set."""

    has_url = serializers.SerializerMethodField()
    has_auth_header = serializers.SerializerMethodField()
    event_types = serializers.ListField(child=serializers.CharField(), read_only=True)
    # Not read-only, which would be published as always there.
    filters = FiltersSerializer(required=False)
    target_labels = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    created_by = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = [
            "id",
            "name",
            "has_url",
            "has_auth_header",
            "event_types",
            "filters",
            "target_labels",
            "enabled",
            "max_retries",
            "timeout_seconds",
            "created_at",
            "updated_at",
            "created_by",
        ]
        read_only_fields = fields

    def get_has_url(self, subscription: Subscription) -> bool:
        return bool(subscription.url_sealed)

    def get_has_auth_header(self, subscription: Subscription) -> bool:
        return bool(subscription.auth_header_sealed)

    def get_created_by(self, subscription: Subscription) -> str:
        # Nobody else may create them (contract, section 7.2).
        return "admin"

    def to_representation(self, instance: Subscription) -> dict[str, Any]:
        shown = super().to_representation(instance)
        # Left out rather than null, on which clients of release 0.10 fail.
        del shown["filters"]
        return shown | ({"filters": instance.filters} if instance.filters else {})


@extend_schema_serializer(
    examples=[OpenApiExample("A new webhook", value=_WEBHOOK | {"secret": _SECRET}, response_only=True)]
)
class NewSubscriptionSerializer(SubscriptionSerializer):
    """With the secret that signs what it is sent, shown only now."""

    secret = serializers.CharField(
        read_only=True, help_text="For verifying signatures with a library of Standard Webhooks."
    )

    class Meta(SubscriptionSerializer.Meta):
        fields = [*SubscriptionSerializer.Meta.fields, "secret"]
        read_only_fields = fields


# What create and update have in common; its docstring would be published as that of the bodies.
class _SubscriptionBody(NullIsAbsent):
    null_is_absent: ClassVar[tuple[str, ...]] = ("enabled", "max_retries", "timeout_seconds")

    auth_header = Text(
        required=False, allow_null=True, help_text="The whole value of the Authorization header."
    )
    filters = FiltersBody(required=False, allow_null=True)
    enabled = Flag(required=False)
    max_retries = WholeNumber(
        required=False, rule=RETRIES_RULE, **_INT, help_text="All attempts, the first among them."
    )
    timeout_seconds = WholeNumber(required=False, rule=TIMEOUT_RULE, **_INT)
    target_labels = serializers.ListField(
        child=Text(rule=LABEL_RULE),
        required=False,
        allow_null=True,
        help_text="Agents that carry all of these labels deliver. Without any, the broker does.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Tell of one stack's deployments",
            value={
                "name": "tell ci",
                "url": _URL,
                "event_types": ["deployment.*"],
                "filters": {"stack_id": _STACK_ID},
            },
        )
    ]
)
class CreateWebhookBody(_SubscriptionBody):
    name = Text(rule=NAME_RULE)
    url = Text(rule=URL_RULE)
    event_types = serializers.ListField(
        child=Text(rule=PATTERN_RULE), help_text="Types, `<prefix>.*`, or `*` for all."
    )


@extend_schema_serializer(examples=[OpenApiExample("Stop for a while", value={"enabled": False})])
class UpdateWebhookBody(_SubscriptionBody):
    """What is absent stays; null ends the header, the filters, the target labels, and changes nothing elsewhere."""

    null_is_absent: ClassVar[tuple[str, ...]] = (
        *_SubscriptionBody.null_is_absent,
        "name",
        "url",
        "event_types",
    )

    name = Text(required=False, rule=NAME_RULE)
    url = Text(required=False, rule=URL_RULE)
    event_types = serializers.ListField(child=Text(rule=PATTERN_RULE), required=False)
    id = Id(required=False, help_text="If it is there, that of the path.")


@extend_schema_serializer(examples=[OpenApiExample("At once", value={"overlap_seconds": 0})])
class RotateSecretBody(serializers.Serializer[Any]):
    overlap_seconds = WholeNumber(
        required=False,
        default=86400,
        rule={"minimum": 0, "maximum": int(LONGEST_OVERLAP.total_seconds())},
        **_INT,
        help_text="For this long the old secret signs too.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Rotated",
            value={"secret": _SECRET, "previous_secret_ends_at": "2026-11-25T09:30:00.000000Z"},
            response_only=True,
        )
    ]
)
class SecretSerializer(serializers.Serializer[Any]):
    """The new secret, shown only now."""

    secret = serializers.CharField()
    previous_secret_ends_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "It works",
            value={"success": True, "status_code": 204, "message": "The endpoint took the test event."},
            response_only=True,
        )
    ]
)
class WebhookTestSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    status_code = serializers.IntegerField()
    message = serializers.CharField()


class _DeliverySerializer(serializers.ModelSerializer[Delivery]):
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
                "subscription_id": _WEBHOOK_ID,
                "event_type": "stack.deleted",
                "payload": _PAYLOAD,
                "url": _URL,
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
    status_code = WholeNumber(required=False, allow_null=True, default=None, **_INT)
    error = Text(required=False, allow_null=True, default=None)
    duration_ms = WholeNumber(
        required=False, allow_null=True, default=None, **_INT, help_text="How long it took; for the metrics."
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


def refuse_unsupported(body: Mapping[str, Any]) -> None:
    """Fields that clients of earlier releases may believe in, although they never had an effect.

    Raises UnsupportedField.
    """
    if "validate" in body:
        raise UnsupportedField(
            "validate has no effect; send a test event once the webhook exists.",
            field="validate",
            use_instead="POST /webhooks/{id}/test",
        )
    filters = body.get("filters")
    if isinstance(filters, dict) and "labels" in filters:
        raise UnsupportedField(
            "filters.labels has no effect; target_labels chooses the agents that deliver.",
            field="filters.labels",
            use_instead="target_labels",
        )
    known = FiltersSerializer().fields
    if isinstance(filters, dict) and (unknown := sorted(filters.keys() - known.keys())):
        raise UnsupportedField(
            f"Events are not filtered by {unknown[0]}.",
            field=f"filters.{unknown[0]}",
            use_instead=" or ".join(f"filters.{name}" for name in known),
        )
