from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import (
    FILLED_RULE,
    LABEL_RULE,
    NAME_RULE,
    Flag,
    Id,
    LabelMap,
    NullIsAbsent,
    QueryFlag,
    QueryText,
    Text,
    WholeNumber,
)
from core.api.pagination import ListQuery
from core.api.rows import RowSerializer
from workorders.models import WorkOrder, WorkOrderLogEntry

_ORDER_ID = "0193f0d1-5c00-7b1e-9a00-3f2e1d0c9b8a"
_AGENT_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_YAML = "apiVersion: shipwright.io/v1beta1\nkind: Build\nmetadata:\n  name: payments-api\n"
_ORDER = {
    "id": _ORDER_ID,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "work_type": "build",
    "yaml_content": _YAML,
    "status": "PENDING",
    "claimed_by": None,
    "claimed_at": None,
    "claim_expires_at": None,
    "claim_timeout_seconds": 3600,
    "max_retries": 3,
    "retry_count": 0,
    "backoff_seconds": 60,
    "next_retry_after": None,
    "last_error": None,
    "last_error_at": None,
}
_CLAIMED = _ORDER | {
    "status": "CLAIMED",
    "claimed_by": _AGENT_ID,
    "claimed_at": "2026-11-24T09:31:00.000000Z",
    "claim_expires_at": "2026-11-24T10:31:00.000000Z",
}
_LOG = {
    "id": _ORDER_ID,
    "work_type": "build",
    "created_at": "2026-11-24T09:30:00.000000Z",
    "claimed_at": "2026-11-24T09:31:00.000000Z",
    "completed_at": "2026-11-24T09:40:00.000000Z",
    "claimed_by": _AGENT_ID,
    "success": True,
    "retries_attempted": 0,
    "result_message": "sha256:9f86d081884c7d65",
    "yaml_content": _YAML,
}
WORK_TYPE_RULE = NAME_RULE | {"maxLength": 50}
_MAX = 2**31 - 1


@extend_schema_serializer(examples=[OpenApiExample("A pending order", value=_ORDER, response_only=True)])
class WorkOrderSerializer(RowSerializer[WorkOrder]):
    claimed_by = serializers.UUIDField(source="claimed_by_id", allow_null=True, read_only=True)
    # COMPLETED and FAILED are what a finished order, which is in the log, is shown as.
    status = serializers.ChoiceField(
        choices=["PENDING", "CLAIMED", "RETRY_PENDING", "COMPLETED", "FAILED"], read_only=True
    )

    class Meta:
        model = WorkOrder
        fields = [
            "id",
            "created_at",
            "updated_at",
            "work_type",
            "yaml_content",
            "status",
            "claimed_by",
            "claimed_at",
            "claim_expires_at",
            "claim_timeout_seconds",
            "max_retries",
            "retry_count",
            "backoff_seconds",
            "next_retry_after",
            "last_error",
            "last_error_at",
        ]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A claimed order",
            value=_CLAIMED | {"claim_token": "0193f0d2-0000-7000-8000-000000000001"},
            response_only=True,
        )
    ]
)
class ClaimedWorkOrderSerializer(WorkOrderSerializer):
    """The order with the token of its claim."""

    claim_token = serializers.UUIDField(
        read_only=True, help_text="Send it with `complete` and `renew`; it fails once the claim has ended."
    )

    class Meta(WorkOrderSerializer.Meta):
        fields = [*WorkOrderSerializer.Meta.fields, "claim_token"]
        read_only_fields = fields


def finished_order(entry: WorkOrderLogEntry) -> WorkOrder:
    """A finished order in the shape of an active one, as GET /work-orders/{id} shows it (contract, section 6.5)."""
    return WorkOrder(
        id=entry.id,
        created_at=entry.created_at,
        updated_at=entry.completed_at,
        work_type=entry.work_type,
        yaml_content=entry.yaml_content,
        status="COMPLETED" if entry.success else "FAILED",
        claimed_by_id=entry.claimed_by_id,
        claimed_at=entry.claimed_at,
        claim_timeout_seconds=0,
        max_retries=0,
        retry_count=entry.retries_attempted,
        backoff_seconds=0,
        last_error=None if entry.success else entry.result_message,
        last_error_at=None if entry.success else entry.completed_at,
    )


@extend_schema_serializer(examples=[OpenApiExample("A finished order", value=_LOG, response_only=True)])
class WorkOrderLogSerializer(RowSerializer[WorkOrderLogEntry]):
    claimed_by = serializers.UUIDField(source="claimed_by_id", allow_null=True, read_only=True)

    class Meta:
        model = WorkOrderLogEntry
        fields = [
            "id",
            "work_type",
            "created_at",
            "claimed_at",
            "completed_at",
            "claimed_by",
            "success",
            "retries_attempted",
            "result_message",
            "yaml_content",
        ]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample("Retry", value={"status": "retry_scheduled"}, response_only=True, status_codes=["202"])
    ]
)
class RetryScheduledSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["retry_scheduled"])


class TargetingBody(serializers.Serializer[Any]):
    """Agents that meet any of it may claim the order."""

    agent_ids = serializers.ListField(child=Id(), required=False, allow_null=True)
    labels = serializers.ListField(child=Text(rule=LABEL_RULE), required=False, allow_null=True)
    annotations = LabelMap(required=False, allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A build for agents with a label",
            value={
                "work_type": "build",
                "yaml_content": _YAML,
                "max_retries": 2,
                "targeting": {"labels": ["builder"]},
            },
        )
    ]
)
class CreateWorkOrderBody(NullIsAbsent):
    """Null leaves a limit to the broker, as its absence does."""

    null_is_absent = ("max_retries", "backoff_seconds", "claim_timeout_seconds")

    work_type = Text(rule=WORK_TYPE_RULE, help_text="`build` and `custom` are what agents know.")
    yaml_content = Text(rule=FILLED_RULE)
    max_retries = WholeNumber(
        required=False, default=3, max_value=_MAX, rule={"minimum": 0}, help_text="Attempts after the first."
    )
    backoff_seconds = WholeNumber(required=False, default=60, max_value=_MAX, rule={"minimum": 1})
    claim_timeout_seconds = WholeNumber(required=False, default=3600, max_value=_MAX, rule={"minimum": 1})
    targeting = TargetingBody(required=False, allow_null=True, default=None)
    target_agent_ids = serializers.ListField(
        child=Id(),
        required=False,
        allow_null=True,
        default=None,
        help_text="Deprecated: use `targeting.agent_ids`.",
    )


@extend_schema_serializer(examples=[OpenApiExample("An agent claims", value={"agent_id": _AGENT_ID})])
class ClaimBody(serializers.Serializer[Any]):
    agent_id = Id()


@extend_schema_serializer(
    examples=[OpenApiExample("The claim", value={"claim_token": "0193f0d2-0000-7000-8000-000000000001"})]
)
class RenewBody(serializers.Serializer[Any]):
    claim_token = Id(required=False, allow_null=True, default=None)


@extend_schema_serializer(
    examples=[OpenApiExample("Success", value={"success": True, "message": "sha256:9f86d081884c7d65"})]
)
class CompleteBody(serializers.Serializer[Any]):
    success = Flag()
    message = Text(required=False, allow_null=True, default=None)
    retryable = Flag(
        required=False, default=True, help_text="Whether trying again may help. Of no use on success."
    )
    claim_token = Id(
        required=False, allow_null=True, default=None, help_text="Refused once its claim has ended."
    )


class WorkOrderListQuery(ListQuery):
    status = QueryText(required=False, help_text="Only this status.")
    work_type = QueryText(required=False, help_text="Only this type.")


class PendingQuery(ListQuery):
    work_type = QueryText(required=False, help_text="Only this type.")


class LogListQuery(ListQuery):
    work_type = QueryText(required=False, help_text="Only this type.")
    success = QueryFlag(required=False, help_text="Only this outcome.")
    agent_id = Id(required=False, help_text="Only orders this agent finished.")
