from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from agents.api.serializers import AgentEventSerializer
from core.api.fields import Id
from core.api.pagination import ListQuery
from fleet.checks import CheckName, CheckStatus, Verdict
from fleet.rollup import AgentRecord
from inventory.api.serializers import ObjectConflictSerializer

_STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_AGENT_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_EXPLANATION = {
    "agent_id": _AGENT_ID,
    "stack_id": _STACK_ID,
    "verdict": "not_associated",
    "conclusion": "The agent does not serve the stack: target it, or give both a label or an annotation in common.",
    "checks": [
        {
            "check": "stack",
            "status": "ok",
            "sentence": "The stack exists.",
            "details": {"deleted_at": None},
        },
        {
            "check": "association",
            "status": "blocked",
            "sentence": "The stack is no target of the agent, and they share no label and no annotation.",
            "details": {"target": False, "labels": [], "annotations": {}},
        },
    ],
    "conflicts": [],
}


_RECORD = {
    "agent_id": _AGENT_ID,
    "name": "edge-01",
    "cluster_name": "frankfurt",
    "status": "ACTIVE",
    "ws_connected": False,
    "connected_since": None,
    "last_heartbeat": "2026-11-24T09:45:00.000000Z",
    "heartbeat_age_seconds": 4,
    "silent": False,
    "silent_after_seconds": 300,
    "pending_object_count": 1,
    "pending_work_orders": 0,
    "claimed_work_orders": 0,
    "last_event_at": "2026-11-24T09:44:10.000000Z",
    "seconds_since_last_event": 54,
    "health_failing": 0,
    "health_degraded": 1,
    "k8s_reachable": True,
    "k8s_api_latency_ms": 12,
}


@extend_schema_field({"type": "object", "additionalProperties": True})
class _Details(serializers.DictField):
    pass


class CheckSerializer(serializers.Serializer[Any]):
    check = serializers.ChoiceField(choices=[name.value for name in CheckName], source="name")
    status = serializers.ChoiceField(choices=[status.value for status in CheckStatus])
    sentence = serializers.CharField()
    details = _Details(help_text="The fact as values; which ones depends on the check.")


@extend_schema_serializer(
    examples=[OpenApiExample("Why nothing arrives", value=_EXPLANATION, response_only=True)]
)
class ExplanationSerializer(serializers.Serializer[Any]):
    """What stands between the stack and the agent's cluster."""

    agent_id = serializers.UUIDField()
    stack_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    conclusion = serializers.CharField()
    checks = CheckSerializer(many=True, help_text="Every check, in the order of the chain.")
    conflicts = ObjectConflictSerializer(
        many=True,
        help_text="What the agent should have of this stack and of another one too. It blocks nothing.",
    )


class ExplainQuery(serializers.Serializer[Any]):
    stack_id = Id(help_text="The stack to explain.")


@extend_schema_serializer(examples=[OpenApiExample("An agent", value=_RECORD, response_only=True)])
class FleetAgentRecordSerializer(serializers.Serializer[AgentRecord]):
    """What is measured of one agent."""

    agent_id = serializers.UUIDField()
    name = serializers.CharField()
    cluster_name = serializers.CharField()
    status = serializers.CharField()
    ws_connected = serializers.BooleanField(help_text="Always false: agents poll.")
    connected_since = serializers.DateTimeField(allow_null=True)
    last_heartbeat = serializers.DateTimeField(allow_null=True)
    heartbeat_age_seconds = serializers.IntegerField(allow_null=True)
    silent = serializers.BooleanField(help_text="Whether the last heartbeat is older than the agent's grace.")
    silent_after_seconds = serializers.IntegerField(help_text="The grace: the agent's own, or the setting's.")
    pending_object_count = serializers.IntegerField(help_text="Objects that wait for the agent.")
    pending_work_orders = serializers.IntegerField(help_text="Pending orders that the agent may claim.")
    claimed_work_orders = serializers.IntegerField(help_text="Orders that the agent holds.")
    last_event_at = serializers.DateTimeField(allow_null=True)
    seconds_since_last_event = serializers.IntegerField(allow_null=True)
    health_failing = serializers.IntegerField(
        help_text="Objects it called failing, as far as that still counts."
    )
    health_degraded = serializers.IntegerField(help_text="The same for degraded.")
    k8s_reachable = serializers.BooleanField(allow_null=True)
    k8s_api_latency_ms = serializers.IntegerField(allow_null=True)


@extend_schema_serializer(
    examples=[OpenApiExample("An agent", value={"record": _RECORD, "recent_events": []}, response_only=True)]
)
class AgentFleetStatusSerializer(serializers.Serializer[Any]):
    record = FleetAgentRecordSerializer()
    recent_events = AgentEventSerializer(many=True, help_text="The latest 20 words, the latest first.")


class FleetQuery(ListQuery):
    pak_id = Id(required=False, help_text="Only agents registered with this generator.")
