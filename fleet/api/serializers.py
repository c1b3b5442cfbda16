from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import Id
from fleet.explain import CheckName, CheckStatus, Verdict

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


class ExplainQuery(serializers.Serializer[Any]):
    stack_id = Id(help_text="The stack to explain.")
