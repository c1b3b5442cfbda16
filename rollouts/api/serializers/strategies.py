"""Strategies: what a request may say, and how they are shown."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import LABEL_RULE, NAME_RULE, Flag, Reason, Text, WholeNumber
from core.validators import is_label
from rollouts.models import RolloutStrategy, StackRolloutStrategy
from rollouts.strategies import (
    DEFAULT_DEADLINE_SECONDS,
    DEFAULT_SOAK_SECONDS,
    HealthGate,
    OnFailure,
    OnNewer,
    SilentAgents,
    warnings_about,
)

_YEAR = 366 * 24 * 3600
_MAX = 2**31 - 1
_SHARE = re.compile(r"(100|[1-9]?[0-9])%")
_CHECK_NAME = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_CHECK_RULE = {"minLength": 1, "maxLength": 64, "pattern": _CHECK_NAME}

STRATEGY_ID = "0193f0d0-5b1e-7c02-9a41-7d5e0c1b2a39"
STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_CANARY = {
    "name": "canary",
    "labels": [],
    "percent": None,
    "count": 1,
    "soak_seconds": 300,
    "health": "if_reported",
    "max_failures": 0,
    "checks": ["smoke-test"],
    "needs_approval": False,
    "deadline_seconds": 86400,
}
_REST = _CANARY | {"name": "rest", "count": None, "checks": [], "max_failures": "2%", "needs_approval": True}
DEFINITION = {
    "waves": [_CANARY, _REST],
    "on_failure": "roll_back",
    "silent": "deferred",
    "on_newer": "supersede",
    "approval_by_another": False,
}
_STRATEGY = {
    "id": STRATEGY_ID,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "name": "careful",
    "revision": 1,
    **DEFINITION,
    "warnings": [],
}


class _Word(Text):
    """Text that a rule of its own checks."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        if not self.is_right(text):
            raise serializers.ValidationError("has a form that cannot be used", code="invalid")
        return text

    def is_right(self, text: str) -> bool:
        raise NotImplementedError


class _Label(_Word):
    def is_right(self, text: str) -> bool:
        return is_label(text)


class _CheckName(_Word):
    def is_right(self, text: str) -> bool:
        return bool(re.fullmatch(_CHECK_NAME, text))


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 0, "maximum": _MAX},
            {"type": "string", "pattern": "^(100|[1-9]?[0-9])%$"},
        ]
    }
)
class _Budget(serializers.Field[Any, Any, Any, Any]):
    """A number, or a share as `5%`."""

    _number = WholeNumber(min_value=0, max_value=_MAX)

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, str) and _SHARE.fullmatch(data):
            return data
        try:
            number: int = self._number.run_validation(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                "must be a whole number, or a share as 5%", code="invalid"
            ) from error
        return number

    def to_representation(self, value: int | str) -> int | str:
        return value


class RolloutWaveRulesSerializer(serializers.Serializer[Any]):
    """One step. Without `percent` and `count` it takes all that match."""

    name = Text(rule=NAME_RULE, max_length=255, help_text="For people.")
    labels = serializers.ListField(
        child=_Label(rule=LABEL_RULE),
        required=False,
        default=list,
        max_length=100,
        help_text="Agents match that carry any of them; none: whoever is left. The last wave must be whoever is left.",
    )
    percent = WholeNumber(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=100,
        help_text="At most this share of the agents that match and are in no wave before, rounded up.",
    )
    count = WholeNumber(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=_MAX,
        help_text="At most this many of them. Not together with `percent`.",
    )
    soak_seconds = WholeNumber(
        required=False,
        default=DEFAULT_SOAK_SECONDS,
        min_value=0,
        max_value=_YEAR,
        help_text="How long an agent must have been good without a break.",
    )
    health = serializers.ChoiceField(
        choices=[gate.value for gate in HealthGate],
        required=False,
        default=HealthGate.IF_REPORTED.value,
        help_text="Whether an agent must report the version healthy. `required`: an agent that reports no health never "
        "proves it. `if_reported`: it must be healthy where it reports any.",
    )
    max_failures = _Budget(
        required=False,
        default=0,
        help_text="How many released agents may fail, over all waves so far; more stop the rollout. A number, or a "
        "share as `5%`; without it none may.",
    )
    checks = serializers.ListField(
        child=_CheckName(rule=_CHECK_RULE),
        required=False,
        default=list,
        max_length=20,
        help_text="Names of outside verdicts that the wave needs besides.",
    )
    needs_approval = Flag(required=False, default=False, help_text="Somebody must approve its release.")
    deadline_seconds = WholeNumber(
        required=False,
        default=DEFAULT_DEADLINE_SECONDS,
        min_value=1,
        max_value=_YEAR,
        help_text="A wave that is not proven by then stops the rollout.",
    )


class StrategyRulesSerializer(serializers.Serializer[Any]):
    """What a strategy says, without its name."""

    waves = RolloutWaveRulesSerializer(many=True, help_text="In order; 1 to 50.")
    on_failure = serializers.ChoiceField(
        choices=[word.value for word in OnFailure],
        required=False,
        help_text="What stops a rollout pauses it (the default), or rolls it back.",
    )
    silent = serializers.ChoiceField(
        choices=[word.value for word in SilentAgents],
        required=False,
        help_text="Whether agents that are silent or inactive when their wave is released are waited for; `deferred`, "
        "the default, gives them the version when they are heard again.",
    )
    on_newer = serializers.ChoiceField(
        choices=[word.value for word in OnNewer],
        required=False,
        help_text="Whether a newer version supersedes a rollout under way (the default), or waits for its end.",
    )
    approval_by_another = Flag(
        required=False, help_text="Whether the one who published may not approve; false by default."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One canary, then the rest",
            value={
                "name": "careful",
                "waves": [
                    {"name": "canary", "count": 1, "checks": ["smoke-test"]},
                    {"name": "rest", "max_failures": "2%", "needs_approval": True},
                ],
                "on_failure": "roll_back",
            },
        )
    ]
)
class CreateStrategyBody(StrategyRulesSerializer):
    name = Text(rule=NAME_RULE)


@extend_schema_serializer(
    examples=[OpenApiExample("Roll back on failure", value={"on_failure": "roll_back"})]
)
class UpdateStrategyBody(StrategyRulesSerializer):
    """The whole strategy or only what changes; waves are replaced as a whole."""

    name = Text(rule=NAME_RULE, required=False)
    waves = RolloutWaveRulesSerializer(many=True, required=False)


@extend_schema_serializer(examples=[OpenApiExample("A strategy", value=_STRATEGY, response_only=True)])
class RolloutStrategySerializer(serializers.ModelSerializer[RolloutStrategy]):
    waves = RolloutWaveRulesSerializer(many=True, source="definition.waves", read_only=True)
    on_failure = serializers.ChoiceField(
        choices=[word.value for word in OnFailure], source="definition.on_failure", read_only=True
    )
    silent = serializers.ChoiceField(
        choices=[word.value for word in SilentAgents], source="definition.silent", read_only=True
    )
    on_newer = serializers.ChoiceField(
        choices=[word.value for word in OnNewer], source="definition.on_newer", read_only=True
    )
    approval_by_another = serializers.BooleanField(source="definition.approval_by_another", read_only=True)
    warnings = serializers.SerializerMethodField(help_text="What agents may never be able to prove.")

    class Meta:
        model = RolloutStrategy
        fields = [
            "id",
            "created_at",
            "updated_at",
            "name",
            "revision",
            "waves",
            "on_failure",
            "silent",
            "on_newer",
            "approval_by_another",
            "warnings",
        ]
        read_only_fields = fields
        extra_kwargs = {"revision": {"help_text": "Counts the changes."}}

    def get_warnings(self, row: RolloutStrategy) -> list[str]:
        return warnings_about(row.strategy)


@extend_schema_serializer(
    examples=[
        OpenApiExample("The first", value={"strategy": "canary"}),
        OpenApiExample("Another one", value={"strategy": "rings", "reason": "Regions are labelled now."}),
    ]
)
class StackStrategyBody(serializers.Serializer[Any]):
    strategy = Text(rule=NAME_RULE, help_text="Its name or its id.")
    reason = Reason(
        required=False,
        default="",
        help_text="Needed where the stack has another one; goes into the audit log.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "By rings",
            value={
                "stack_id": STACK_ID,
                "strategy_id": STRATEGY_ID,
                "strategy": "careful",
                "created_at": "2026-11-24T09:40:00.000000Z",
            },
            response_only=True,
        )
    ]
)
class StackStrategySerializer(serializers.ModelSerializer[StackRolloutStrategy]):
    """By which strategy new versions of a stack reach the fleet."""

    stack_id = serializers.UUIDField(read_only=True)
    strategy_id = serializers.UUIDField(read_only=True)
    strategy = serializers.CharField(source="strategy.name", read_only=True, help_text="Its name.")

    class Meta:
        model = StackRolloutStrategy
        fields = ["stack_id", "strategy_id", "strategy", "created_at"]
        read_only_fields = fields
        extra_kwargs = {"created_at": {"help_text": "Since when the stack has a strategy."}}
