"""Bodies of the webhooks themselves and of their secrets."""

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
    Text,
    WholeNumber,
)
from core.api.rows import RowSerializer
from webhooks.api.serializers.examples import STACK_ID, URL, WEBHOOK_ID
from webhooks.api.serializers.numbers import INT_COLUMN
from webhooks.errors import UnsupportedField
from webhooks.event_types import MAX_EVENT_TYPE
from webhooks.formats import Format
from webhooks.models import Subscription
from webhooks.models.subscription import FORMATS, MAX_PER_MINUTE, MAX_RETRIES, MAX_TIMEOUT_SECONDS
from webhooks.services.subscriptions import LONGEST_OVERLAP

_WEBHOOK = {
    "id": WEBHOOK_ID,
    "name": "tell ci",
    "has_url": True,
    "has_auth_header": False,
    "event_types": ["deployment.*"],
    "filters": {"stack_id": STACK_ID},
    "target_labels": None,
    "enabled": True,
    "max_retries": 5,
    "timeout_seconds": 30,
    "max_deliveries_per_minute": None,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "created_by": "admin",
}
_SECRET = "whsec_bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGU="  # noqa: S105  # it says so itself
URL_RULE = {"pattern": r"^https?://[^\u0000\s]+$"}
PATTERN_RULE = FILLED_RULE | {"maxLength": MAX_EVENT_TYPE}
RETRIES_RULE = {"minimum": 0, "maximum": MAX_RETRIES}
PER_MINUTE_RULE = {"minimum": 1, "maximum": MAX_PER_MINUTE}
TIMEOUT_RULE = {"minimum": 1, "maximum": MAX_TIMEOUT_SECONDS}


class FiltersSerializer(serializers.Serializer[Any]):
    """Only events whose data have these values; what an event's data lack they do not equal."""

    agent_id = Id(required=False, allow_null=True)
    stack_id = Id(required=False, allow_null=True)


_FILTER = {"type": ["string", "null"], "format": "uuid"}


@extend_schema_field(
    {
        "type": "object",
        "properties": {"agent_id": _FILTER, "stack_id": _FILTER},
        # Other filters would have no effect, so they are refused.
        "additionalProperties": False,
    }
)
class FiltersBody(FiltersSerializer):
    pass


@extend_schema_serializer(examples=[OpenApiExample("A webhook", value=_WEBHOOK, response_only=True)])
class SubscriptionSerializer(RowSerializer[Subscription]):
    """The URL and the header are never shown. `filters` is left out when none is set, `format` if it is `standard`."""

    has_url = serializers.SerializerMethodField()
    has_auth_header = serializers.SerializerMethodField()
    event_types = serializers.ListField(child=serializers.CharField(), read_only=True)
    # Not read-only: the schema would say of a read-only field that it is always there.
    filters = FiltersSerializer(required=False)
    target_labels = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    created_by = serializers.SerializerMethodField()
    format = serializers.ChoiceField(choices=FORMATS, required=False)

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
            "max_deliveries_per_minute",
            "format",
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
        # Only admins may create webhooks (contract, section 7.2).
        return "admin"

    def to_representation(self, instance: Subscription) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if instance.format == Format.STANDARD:
            # Left out as before there were others.
            del shown["format"]
        # It is left out instead of null, because clients of release 0.10 fail on null.
        del shown["filters"]
        return shown | ({"filters": instance.filters} if instance.filters else {})


@extend_schema_serializer(
    examples=[OpenApiExample("A new webhook", value=_WEBHOOK | {"secret": _SECRET}, response_only=True)]
)
class SubscriptionWithSecretSerializer(SubscriptionSerializer):
    """With the secret that signs what it is sent, shown only now."""

    secret = serializers.CharField(
        read_only=True, help_text="For verifying signatures with a library of Standard Webhooks."
    )

    class Meta(SubscriptionSerializer.Meta):
        fields = [*SubscriptionSerializer.Meta.fields, "secret"]
        read_only_fields = fields


# The common fields of create and update. It has no docstring, which the schema would show for both bodies.
class _SubscriptionBody(NullIsAbsent):
    null_is_absent: ClassVar[tuple[str, ...]] = ("enabled", "max_retries", "timeout_seconds", "format")

    auth_header = Text(
        required=False, allow_null=True, help_text="The whole value of the Authorization header."
    )
    filters = FiltersBody(required=False, allow_null=True)
    enabled = Flag(required=False)
    max_retries = WholeNumber(
        required=False, rule=RETRIES_RULE, **INT_COLUMN, help_text="All attempts, the first among them."
    )
    timeout_seconds = WholeNumber(required=False, rule=TIMEOUT_RULE, **INT_COLUMN)
    max_deliveries_per_minute = WholeNumber(
        required=False,
        allow_null=True,
        rule=PER_MINUTE_RULE,
        **INT_COLUMN,
        help_text="What is more than that in a minute arrives as one `webhook.summary`. Without it there is no limit.",
    )
    target_labels = serializers.ListField(
        child=Text(rule=LABEL_RULE),
        required=False,
        allow_null=True,
        help_text="Agents that carry all of these labels deliver. Without any, the broker does.",
    )
    format = serializers.ChoiceField(
        choices=FORMATS,
        required=False,
        help_text="What the body is: the event, or a message for Slack, for Teams, or in plain text.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Tell of one stack's deployments",
            value={
                "name": "tell ci",
                "url": URL,
                "event_types": ["deployment.*"],
                "filters": {"stack_id": STACK_ID},
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
    """What is absent stays; null ends the header, the filters, the limit, the target labels, and changes nothing
    elsewhere."""

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
        **INT_COLUMN,
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


def refuse_unsupported(body: Mapping[str, Any]) -> None:
    """Refuse fields that never had an effect, although clients of earlier releases may rely on them.

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
