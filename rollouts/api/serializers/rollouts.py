"""Rollouts with their waves, members and checks, as they are shown."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core import clock
from core.api.fields import Id, QueryNumber
from core.api.pagination import ListQuery
from health.models import HealthStatus
from rollouts.api.serializers.strategies import DEFINITION, STACK_ID, StrategyRulesSerializer
from rollouts.decision import WaveFacts, deadline_of
from rollouts.members import Standing
from rollouts.models import Rollout, RolloutCheck, RolloutMember, RolloutState, RolloutWave
from rollouts.progress import WaveProgress, held_back, progress_of_waves
from rollouts.sentences import waits_for
from rollouts.strategies import warnings_about

_OBJECT_ID = "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4"
_AGENT_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_AT = "2026-11-24T09:45:00.000000Z"
_LATER = "2026-11-24T09:51:00.000000Z"
_ROLLOUT = {
    "id": "0193f0d1-0c2b-7f5d-8e10-2b7f6c9d1e55",
    "created_at": _AT,
    "stack_id": STACK_ID,
    "version": {"id": _OBJECT_ID, "sequence_id": 42, "is_deletion_marker": False},
    "previous_version": {
        "id": "0193f0a5-0000-7000-8000-000000000001",
        "sequence_id": 41,
        "is_deletion_marker": False,
    },
    "strategy": "careful",
    "state": "progressing",
    "state_since": _AT,
    "cause": "",
    "reason": "",
    "changed_by": "ci",
    "skipped": False,
    "wave": 1,
    "wave_count": 2,
    "published_by": "ci",
    "started_at": _AT,
    "unheld_at": None,
}
_CHECK = {
    "wave": 1,
    "name": "smoke-test",
    "verdict": "passed",
    "note": "42 requests, no error.",
    "reported_by": "ci",
    "reported_at": _LATER,
}
_WAVES = [
    {
        "number": 1,
        "name": "canary",
        "released_at": _AT,
        "deadline_at": "2026-11-25T09:45:00.000000Z",
        "proven_at": None,
        "needs_approval": False,
        "approved_at": None,
        "approved_by": "",
        "approval_reason": "",
        "matched": 40,
        "members": 1,
        "applied": 1,
        "proven": 0,
        "healthy": 1,
        "failing": 0,
        "waiting": 0,
        "deferred": 0,
        "awaited_checks": ["smoke-test"],
        "checks": [_CHECK],
    },
]


class RolloutVersionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    sequence_id = serializers.IntegerField()
    is_deletion_marker = serializers.BooleanField()


@extend_schema_serializer(examples=[OpenApiExample("A rollout", value=_ROLLOUT, response_only=True)])
class RolloutSerializer(serializers.ModelSerializer[Rollout]):
    stack_id = serializers.UUIDField(read_only=True)
    version = RolloutVersionSerializer(read_only=True)
    previous_version = RolloutVersionSerializer(
        source="previous",
        read_only=True,
        allow_null=True,
        help_text="What everybody should have had when it started, and what rolling back publishes again.",
    )
    strategy = serializers.CharField(source="strategy_name", read_only=True)
    skipped = serializers.BooleanField(
        source="is_skipped", read_only=True, help_text="Whether somebody released it to everybody at once."
    )
    wave_count = serializers.SerializerMethodField()
    published_by = serializers.CharField(source="publisher_label", read_only=True)

    class Meta:
        model = Rollout
        fields = [
            "id",
            "created_at",
            "stack_id",
            "version",
            "previous_version",
            "strategy",
            "state",
            "state_since",
            "cause",
            "reason",
            "changed_by",
            "skipped",
            "wave",
            "wave_count",
            "published_by",
            "started_at",
            "unheld_at",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "cause": {"help_text": "What brought it into this state, as a word; empty where a person did."},
            "reason": {"help_text": "What that person wrote."},
            "wave": {"help_text": "The newest released wave; 0 before the first."},
            "unheld_at": {"help_text": "When it gave the version to everybody."},
        }

    def get_wave_count(self, rollout: Rollout) -> int:
        return len(rollout.definition["waves"])


@extend_schema_serializer(examples=[OpenApiExample("A verdict", value=_CHECK, response_only=True)])
class RolloutCheckSerializer(serializers.ModelSerializer[RolloutCheck]):
    """The latest verdict of an outside check."""

    class Meta:
        model = RolloutCheck
        fields = ["wave", "name", "verdict", "note", "reported_by", "reported_at"]
        read_only_fields = fields


class RolloutWaveSerializer(serializers.Serializer[Any]):
    """One wave. `applied`, `failing`, `waiting` and `deferred` add up to `members`."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    released_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField(
        allow_null=True, help_text="By when it must be proven; null before its release."
    )
    proven_at = serializers.DateTimeField(allow_null=True)
    needs_approval = serializers.BooleanField()
    approved_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField()
    approval_reason = serializers.CharField()
    matched = serializers.IntegerField(help_text="How many agents it could have taken when it was released.")
    members = serializers.IntegerField(help_text="Those that it took and that serve the stack now.")
    applied = serializers.IntegerField(help_text="Members that have reported success on this very version.")
    proven = serializers.IntegerField(help_text="Those of them that have been good for the soak.")
    healthy = serializers.IntegerField(help_text="Those of them that report this very version healthy.")
    failing = serializers.IntegerField(help_text="Members that have reported that this very version failed.")
    waiting = serializers.IntegerField(help_text="Members whose latest word is not about this version.")
    deferred = serializers.IntegerField(
        help_text="Members that were silent or inactive at its release; they are not waited for."
    )
    awaited_checks = serializers.ListField(
        child=serializers.CharField(), help_text="The outside checks that it needs."
    )
    checks = RolloutCheckSerializer(many=True, help_text="Their verdicts so far.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A rollout",
            value=_ROLLOUT
            | {
                "waits_for": "Wave 1 waits for 1 of 1 agent, the first is edge-01, until 09:45.",
                "held_back": 39,
                "waves": _WAVES,
                "definition": DEFINITION,
                "warnings": [],
            },
            response_only=True,
        )
    ]
)
class RolloutDetailSerializer(RolloutSerializer):
    """A rollout with its waves. It must be loaded with them, its checks, its stack and its versions."""

    waits_for = serializers.SerializerMethodField(
        help_text="What has to happen next, or how it ended and why; times are UTC."
    )
    held_back = serializers.SerializerMethodField(
        help_text="How many agents serve the stack and are in no released wave; 0 when it has ended."
    )
    waves = serializers.SerializerMethodField()
    definition = StrategyRulesSerializer(
        read_only=True, help_text="The strategy as it was when the version was published."
    )
    warnings = serializers.SerializerMethodField(help_text="What agents may never be able to prove.")

    class Meta(RolloutSerializer.Meta):
        fields = [*RolloutSerializer.Meta.fields, "waits_for", "held_back", "waves", "definition", "warnings"]
        read_only_fields = fields

    def get_waits_for(self, rollout: Rollout) -> str:
        return waits_for(rollout, now=clock.now())

    def get_held_back(self, rollout: Rollout) -> int:
        return 0 if rollout.is_final else held_back(rollout)

    @extend_schema_field(RolloutWaveSerializer(many=True))
    def get_waves(self, rollout: Rollout) -> Any:
        counts = progress_of_waves(rollout, now=clock.now())
        rows = {wave.number: wave for wave in rollout.waves.all()}
        waves = [
            _wave(rollout, rows.get(number) or RolloutWave(number=number), counts.get(number, WaveProgress()))
            for number in range(1, len(rollout.strategy.waves) + 1)
        ]
        return RolloutWaveSerializer(waves, many=True).data

    def get_warnings(self, rollout: Rollout) -> list[str]:
        return warnings_about(rollout.strategy)


def _wave(rollout: Rollout, row: RolloutWave, counts: WaveProgress) -> dict[str, Any]:
    rule = rollout.strategy.wave(row.number)
    deadline = None
    if row.running_since is not None:
        deadline = deadline_of(rule, WaveFacts(row.number, row.running_since, row.matched))
    return {
        "number": row.number,
        "name": rule.name,
        "released_at": row.released_at,
        "deadline_at": deadline,
        "proven_at": row.proven_at,
        "needs_approval": rule.needs_approval,
        "approved_at": row.approved_at,
        "approved_by": row.approved_by,
        "approval_reason": row.approval_reason,
        "matched": row.matched,
        "members": counts.members,
        "applied": counts.applied,
        "proven": counts.proven,
        "healthy": counts.healthy,
        "failing": counts.failing,
        "waiting": counts.waiting,
        "deferred": counts.deferred,
        "awaited_checks": list(rule.checks),
        "checks": [check for check in rollout.checks.all() if check.wave == row.number],
    }


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A failing agent",
            value={
                "agent_id": _AGENT_ID,
                "agent_name": "edge-01",
                "wave": 1,
                "state": "failing",
                "message": "no such image",
                "reported_at": _LATER,
                "health": None,
                "proven_at": None,
                "accepted": False,
            },
            response_only=True,
        )
    ]
)
class RolloutMemberSerializer(serializers.ModelSerializer[RolloutMember]):
    """An agent in a released wave."""

    agent_id = serializers.UUIDField(read_only=True)
    agent_name = serializers.CharField(source="agent.name", read_only=True)
    state = serializers.ChoiceField(
        choices=Standing.choices,
        source="standing",
        read_only=True,
        help_text="`left`: it serves the stack no more. The others are those that waves count.",
    )
    message = serializers.CharField(
        read_only=True, allow_null=True, help_text="Of its latest report about this version."
    )
    reported_at = serializers.DateTimeField(read_only=True, allow_null=True)
    health = serializers.ChoiceField(
        choices=HealthStatus.choices,
        read_only=True,
        allow_null=True,
        help_text="Of this version, as long as it counts.",
    )
    accepted = serializers.BooleanField(
        source="is_accepted",
        read_only=True,
        help_text="Whether its failure counts no more, because somebody resumed the rollout.",
    )

    class Meta:
        model = RolloutMember
        fields = [
            "agent_id",
            "agent_name",
            "wave",
            "state",
            "message",
            "reported_at",
            "health",
            "proven_at",
            "accepted",
        ]
        read_only_fields = fields


class RolloutListQuery(ListQuery):
    state = serializers.ChoiceField(
        choices=RolloutState.choices, required=False, help_text="Only those in this state."
    )
    stack_id = Id(required=False, help_text="Only those of this stack.")


class RolloutMemberQuery(ListQuery):
    wave = QueryNumber(required=False, min_value=1, max_value=1000, help_text="Only members of this wave.")
    state = serializers.ChoiceField(
        choices=Standing.choices, required=False, help_text="Only members in this state."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "To be rolled out",
            value={
                "deployment_object_id": _OBJECT_ID,
                "sequence_id": 42,
                "rollout_id": _ROLLOUT["id"],
            },
            response_only=True,
        )
    ]
)
class ReleasedVersionSerializer(serializers.Serializer[Any]):
    """A held version that somebody let go."""

    deployment_object_id = serializers.UUIDField()
    sequence_id = serializers.IntegerField()
    rollout_id = serializers.UUIDField(
        allow_null=True,
        help_text="The rollout that brings it to the fleet; null when everybody has it at once.",
    )
