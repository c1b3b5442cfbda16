from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import TEXT_RULE, Id, Moment, Text, WholeNumber
from core.api.rows import RowSerializer
from diagnostics.models import MAX_REQUESTED_BY, DiagnosticRequest, DiagnosticResult
from diagnostics.services import DEFAULT_RETENTION_MINUTES, MAX_RETENTION_MINUTES

_ID = "0193f0e1-0000-7000-8000-000000000001"
_AGENT_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_REQUEST = {
    "id": _ID,
    "agent_id": _AGENT_ID,
    "deployment_object_id": "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4",
    "status": "completed",
    "requested_by": "astrid",
    "created_at": "2026-11-24T09:30:00.000000Z",
    "claimed_at": "2026-11-24T09:30:06.000000Z",
    "completed_at": "2026-11-24T09:30:08.000000Z",
    "expires_at": "2026-11-24T10:30:00.000000Z",
}
_PENDING = _REQUEST | {"status": "pending", "claimed_at": None, "completed_at": None}
_FOUND = {
    "pod_statuses": '[{"name": "payments-api-0", "phase": "Pending"}]',
    "events": '[{"reason": "FailedScheduling", "message": "0/3 nodes are available"}]',
    "log_tails": None,
    "collected_at": "2026-11-24T09:30:07.000000Z",
}
_RESULT = _FOUND | {
    "id": "0193f0e1-0000-7000-8000-000000000002",
    "request_id": _ID,
    "created_at": "2026-11-24T09:30:08.000000Z",
}
FILLED_TEXT_RULE = TEXT_RULE | {"minLength": 1}


@extend_schema_serializer(examples=[OpenApiExample("A pending request", value=_PENDING, response_only=True)])
class DiagnosticRequestSerializer(RowSerializer[DiagnosticRequest]):
    agent_id = serializers.UUIDField(read_only=True)
    deployment_object_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = DiagnosticRequest
        fields = [
            "id",
            "agent_id",
            "deployment_object_id",
            "status",
            "requested_by",
            "created_at",
            "claimed_at",
            "completed_at",
            "expires_at",
        ]
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("A result", value=_RESULT, response_only=True)])
class DiagnosticResultSerializer(RowSerializer[DiagnosticResult]):
    request_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = DiagnosticResult
        fields = ["id", "request_id", "pod_statuses", "events", "log_tails", "collected_at", "created_at"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample("Answered", value={"request": _REQUEST, "result": _RESULT}, response_only=True),
        OpenApiExample("Not answered yet", value={"request": _PENDING}, response_only=True),
    ]
)
class DiagnosticSerializer(serializers.Serializer[DiagnosticRequest]):
    """`result` is left out while there is none."""

    request = DiagnosticRequestSerializer(source="*")
    result = DiagnosticResultSerializer(required=False)

    def to_representation(self, instance: DiagnosticRequest) -> dict[str, Any]:
        answer = super().to_representation(instance)
        return {name: value for name, value in answer.items() if value is not None}


@extend_schema_serializer(
    examples=[OpenApiExample("Ask an agent", value={"agent_id": _AGENT_ID, "requested_by": "astrid"})]
)
class RequestDiagnosticBody(serializers.Serializer[Any]):
    agent_id = Id(help_text="The agent to ask.")
    requested_by = Text(
        required=False,
        allow_null=True,
        default=None,
        rule=TEXT_RULE | {"maxLength": MAX_REQUESTED_BY},
        help_text="Who asks, for people to read.",
    )
    retention_minutes = WholeNumber(
        required=False,
        allow_null=True,
        default=None,
        rule={"minimum": 1, "maximum": MAX_RETENTION_MINUTES},
        help_text=f"The request expires after this, {DEFAULT_RETENTION_MINUTES} when it is not given; its result is "
        "kept at least as long.",
    )


@extend_schema_serializer(examples=[OpenApiExample("What was found", value=_FOUND)])
class SubmitResultBody(serializers.Serializer[Any]):
    pod_statuses = Text(rule=FILLED_TEXT_RULE, help_text="JSON text.")
    events = Text(rule=FILLED_TEXT_RULE, help_text="JSON text.")
    log_tails = Text(required=False, allow_null=True, default=None, help_text="JSON text.")
    collected_at = Moment()
