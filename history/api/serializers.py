from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import Id, Moment, QueryNumber, QueryText, QueryWindow
from core.api.pagination import DEFAULT_LIMIT
from history.entries import Kind

_AT = "2026-11-24T02:13:00.000000Z"
_AGENT = "0193f0b1-5d2e-7f01-8c44-9b1d2e3f4a50"
_STACK = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_VERSION = {
    "id": "0193f0a5-3c1b-7e44-a1c2-7d9e8f6a5b40",
    "sequence_id": 42,
    "is_deletion_marker": False,
}
_CAUSE = {
    "audit_id": "0193f0c1-0000-7000-8000-000000000005",
    "action": "agent.label_added",
    "actor_type": "admin",
    "actor_id": None,
    "actor_label": "astrid",
    "at": _AT,
    "reason": "",
    "is_guessed": False,
}
_ENTRY = {
    "at": _AT,
    "kind": "wanted",
    "agent_id": _AGENT,
    "stack_id": _STACK,
    "version": _VERSION,
    "previous": None,
    "agents": 1,
    "report_id": None,
    "since": None,
    "cause": _CAUSE,
}


class StatedVersionSerializer(serializers.Serializer[Any]):
    """A version or a deletion marker, without its text."""

    id = serializers.UUIDField()
    sequence_id = serializers.IntegerField()
    is_deletion_marker = serializers.BooleanField()


class CauseSerializer(serializers.Serializer[Any]):
    """The entry of the audit log about the change."""

    audit_id = serializers.UUIDField()
    action = serializers.CharField()
    actor_type = serializers.CharField()
    actor_id = serializers.UUIDField(allow_null=True)
    actor_label = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField(help_text="Why, in the words of whoever did it; empty if nobody asked.")
    is_guessed = serializers.BooleanField(
        help_text="Whether it is only the nearest entry in time, because the change is older than what ties the two."
    )


@extend_schema_serializer(examples=[OpenApiExample("A change", value=_ENTRY, response_only=True)])
class TimelineEntrySerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    agent_id = serializers.UUIDField(allow_null=True, help_text="Null where it happened to several agents.")
    stack_id = serializers.UUIDField(allow_null=True, help_text="Null for `silent` and `heard`.")
    version = StatedVersionSerializer(
        allow_null=True, help_text="Of `wanted`, what should be there from now on: nothing where it is null."
    )
    previous = StatedVersionSerializer(
        allow_null=True, help_text="Of `wanted`, what should have been there before."
    )
    agents = serializers.IntegerField(help_text="To how many agents it happened.")
    report_id = serializers.UUIDField(
        allow_null=True, help_text="Of `applied` and `failed`, the agent event with the message."
    )
    since = serializers.DateTimeField(
        allow_null=True, help_text="Of `silent` and `heard`, the last heartbeat before the silence."
    )
    cause = CauseSerializer(
        allow_null=True,
        help_text="Of `wanted`, who changed what. Null where the audit log no longer has it, or an agent did it.",
    )


class TimelineQuery(QueryWindow):
    limit = QueryNumber(
        required=False, default=DEFAULT_LIMIT, min_value=1, max_value=1000, help_text="At most this many."
    )
    cursor = QueryText(
        required=False, help_text="Where the page begins, from the previous page's Link header."
    )


class ComparisonQuery(serializers.Serializer[Any]):
    at = Moment(required=False, help_text="The moment of the agent in the path. Without it, now.")
    other_at = Moment(required=False, help_text="The moment of the other side. Without it, now.")
    other_agent_id = Id(required=False, help_text="The agent of the other side. Without it, the same.")


class SideSerializer(serializers.Serializer[Any]):
    agent_id = serializers.UUIDField()
    at = serializers.DateTimeField()


class DifferenceSerializer(serializers.Serializer[Any]):
    stack_id = serializers.UUIDField()
    stack_name = serializers.CharField()
    left = StatedVersionSerializer(allow_null=True)
    right = StatedVersionSerializer(allow_null=True)
    same_content = serializers.BooleanField(help_text="Whether both versions have the same text.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two moments",
            value={
                "left": {"agent_id": _AGENT, "at": _AT},
                "right": {"agent_id": _AGENT, "at": "2026-11-24T09:30:00.000000Z"},
                "differences": [
                    {
                        "stack_id": _STACK,
                        "stack_name": "payments-api",
                        "left": _VERSION,
                        "right": None,
                        "same_content": False,
                    }
                ],
                "equal_stacks": 11,
            },
            response_only=True,
        )
    ]
)
class ComparisonSerializer(serializers.Serializer[Any]):
    left = SideSerializer()
    right = SideSerializer()
    differences = DifferenceSerializer(many=True, help_text="By the stack's name.")
    equal_stacks = serializers.IntegerField(help_text="Of how many stacks both should have had the same.")
