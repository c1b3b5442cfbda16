from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from agents.api.serializers import ReportEventBody
from agents.models.agent import MAX_AGENT_VERSION
from agents.models.event import EventStatus
from core.api.fields import FILLED_RULE, TEXT_RULE, Flag, Id, Moment, QueryNumber, Text, WholeNumber
from core.validators import is_blank
from diagnostics.api.serializers import DiagnosticRequestSerializer
from health.api.serializers import HealthSummaryBody
from health.models import HealthStatus
from sync.removals import REASONS
from sync.snapshot import FORM, MAX_LENGTH
from workorders.api.serializers import WorkOrderSerializer

_OBJECT_ID = "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4"
_MARKER_ID = "0193f0a5-9c01-7d22-8e10-0b2c3d4e5f60"
_STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_REPORT_ID = "0193f0c9-0000-7000-8000-000000000001"
_TAG = "5d41402abc4b2a76b9719d911017c592"
_CHECKSUM = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
_AT = "2026-11-24T09:45:00.000000Z"
_MAX_INT = 2**31 - 1
MAX_HELD = 5000
MAX_REPORTS = 500
MAX_RENEWALS = 50
MAX_CHECKSUM = 64


class SyncReportBody(serializers.Serializer[Any]):
    """What became of one deployment object."""

    report_id = Id(help_text="The agent's own id of this report. Sent again, it is not recorded again.")
    deployment_object_id = Id()
    event_type = ReportEventBody().fields["event_type"]
    status = serializers.ChoiceField(choices=EventStatus.choices)
    message = Text(required=False, allow_null=True, default=None)

    validate_event_type = ReportEventBody.validate_event_type


class SyncHealthBody(serializers.Serializer[Any]):
    """The health of one deployment object."""

    report_id = Id(help_text="The agent's own id of this report. Sent again, it is not recorded again.")
    deployment_object_id = Id()
    status = Text(rule={"enum": [status.value for status in HealthStatus]})
    summary = HealthSummaryBody(required=False, allow_null=True, default=None)
    checked_at = Moment(help_text="When the agent looked, by its own clock.")


class RenewalBody(serializers.Serializer[Any]):
    """A claim that the agent still works on."""

    work_order_id = Id()
    claim_token = Id()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Nothing to say",
            value={"tag": _TAG, "agent_version": "1.0.0", "k8s_reachable": True, "k8s_api_latency_ms": 12},
        ),
        OpenApiExample(
            "An outcome",
            value={
                "tag": _TAG,
                "held": [_CHECKSUM],
                "reports": [
                    {
                        "report_id": _REPORT_ID,
                        "deployment_object_id": _OBJECT_ID,
                        "event_type": "DEPLOY",
                        "status": "SUCCESS",
                    }
                ],
            },
        ),
    ]
)
class SyncBody(serializers.Serializer[Any]):
    tag = Text(
        required=False,
        allow_null=True,
        default=None,
        rule=TEXT_RULE | {"maxLength": MAX_CHECKSUM},
        max_length=MAX_CHECKSUM,
        help_text="The tag of the last answer whose state the agent has taken over.",
    )
    held = serializers.ListField(
        child=Text(rule=FILLED_RULE | {"maxLength": MAX_CHECKSUM}, max_length=MAX_CHECKSUM),
        required=False,
        default=list,
        max_length=MAX_HELD,
        help_text="The checksums of versions that the agent holds: their texts are not sent again.",
    )
    agent_version = Text(
        required=False,
        allow_null=True,
        default=None,
        rule=TEXT_RULE | {"maxLength": MAX_AGENT_VERSION},
        max_length=MAX_AGENT_VERSION,
    )
    k8s_reachable = Flag(required=False, allow_null=True, default=None)
    k8s_api_latency_ms = WholeNumber(
        required=False, allow_null=True, default=None, min_value=-(2**31), max_value=_MAX_INT
    )
    reports = serializers.ListField(
        child=SyncReportBody(), required=False, default=list, max_length=MAX_REPORTS
    )
    health = serializers.ListField(
        child=SyncHealthBody(), required=False, default=list, max_length=MAX_REPORTS
    )
    renewals = serializers.ListField(
        child=RenewalBody(), required=False, default=list, max_length=MAX_RENEWALS
    )
    waiting_removals = serializers.ListField(
        child=Id(),
        required=False,
        default=list,
        max_length=MAX_HELD,
        help_text="Removals that the agent carries out only when they are confirmed, because they are many.",
    )

    def validate_held(self, value: list[str]) -> list[str]:
        if any(map(is_blank, value)):
            raise serializers.ValidationError("must be checksums")
        return value


class SyncQuery(serializers.Serializer[Any]):
    wait_seconds = QueryNumber(
        required=False,
        min_value=0,
        max_value=30,
        help_text="Answer when something changes, or after so many seconds. The broker may answer earlier.",
    )
    seen = serializers.RegexField(
        f"^{FORM}$",
        required=False,
        max_length=MAX_LENGTH,
        help_text="`seen` of the last answer. A call waits only if nothing has changed since.",
    )


class SyncVersionSerializer(serializers.Serializer[Any]):
    """A version that the agent should have."""

    id = serializers.UUIDField()
    stack_id = serializers.UUIDField()
    stack_name = serializers.CharField()
    sequence_id = serializers.IntegerField()
    yaml_checksum = serializers.CharField()
    yaml_content = serializers.CharField(
        allow_null=True, help_text="Null if the agent named the checksum among those that it holds."
    )


class SyncRemovalSerializer(serializers.Serializer[Any]):
    """A stack that the agent must remove, and then report SUCCESS on."""

    id = serializers.UUIDField(help_text="The deletion marker, to report on.")
    stack_id = serializers.UUIDField()
    sequence_id = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=REASONS)


class SyncStateSerializer(serializers.Serializer[Any]):
    """All that the agent should have, and all that it must remove. What is in neither list must be left alone."""

    versions = SyncVersionSerializer(many=True)
    removals = SyncRemovalSerializer(many=True)


class RenewedSerializer(serializers.Serializer[Any]):
    """What became of a renewal."""

    work_order_id = serializers.UUIDField()
    claim_expires_at = serializers.DateTimeField(allow_null=True, help_text="Null if the claim has ended.")
    code = serializers.CharField(allow_null=True, help_text="Why it was refused; null if it was renewed.")


_NOTHING_NEW: dict[str, object] = {
    "tag": _TAG,
    "agent_status": "ACTIVE",
    "next_sync_seconds": 30,
    "seen": "4711:4713:4711",
    "state": None,
    "work_orders": [],
    "diagnostics": [],
    "renewals": [],
    "unknown_reports": [],
    "confirmed_removals": [],
}


@extend_schema_serializer(
    examples=[
        OpenApiExample("Nothing new", value=_NOTHING_NEW, response_only=True),
        OpenApiExample(
            "A new version and a removal",
            value=_NOTHING_NEW
            | {
                "state": {
                    "versions": [
                        {
                            "id": _OBJECT_ID,
                            "stack_id": _STACK_ID,
                            "stack_name": "payments",
                            "sequence_id": 42,
                            "yaml_checksum": _CHECKSUM,
                            "yaml_content": "apiVersion: v1\nkind: Namespace\nmetadata: {name: payments}\n",
                        }
                    ],
                    "removals": [
                        {
                            "id": _MARKER_ID,
                            "stack_id": "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e91",
                            "sequence_id": 41,
                            "reason": "stack_deleted",
                        }
                    ],
                }
            },
            response_only=True,
        ),
    ]
)
class SyncAnswerSerializer(serializers.Serializer[Any]):
    tag = serializers.CharField(
        allow_null=True, help_text="Names the state. Null while the agent's status is not ACTIVE."
    )
    agent_status = serializers.CharField(help_text="Only an agent that is ACTIVE is given anything.")
    next_sync_seconds = serializers.IntegerField(help_text="When to call again.")
    seen = serializers.CharField(
        help_text="Names the changes that are in the answer, for a call that waits for the next one."
    )
    state = SyncStateSerializer(
        allow_null=True, help_text="Null if the tag in the request names the present state: nothing is new."
    )
    work_orders = WorkOrderSerializer(
        many=True, help_text="The oldest pending orders that the agent may claim, at most ten."
    )
    diagnostics = DiagnosticRequestSerializer(
        many=True, help_text="The oldest requests that the agent may claim, at most ten."
    )
    renewals = RenewedSerializer(many=True, help_text="In the order of the request.")
    unknown_reports = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Ids of reports on deployment objects that the broker does not know. They were not recorded.",
    )
    confirmed_removals = serializers.ListField(
        child=serializers.UUIDField(), help_text="Those of `waiting_removals` that were confirmed."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("One removal", value={"deployment_object_ids": [_MARKER_ID]})]
)
class ConfirmRemovalsBody(serializers.Serializer[Any]):
    deployment_object_ids = serializers.ListField(
        child=Id(), min_length=1, max_length=MAX_HELD, help_text="The deletion markers."
    )
