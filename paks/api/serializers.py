from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import WholeNumber
from paks.limits import Limits
from paks.principals import Principal
from paks.services import LONGEST_OVERLAP

# Without a value they are absent, as they were before there were any.
_LEFT_OUT = {"ends_at", "limits"}


class KeyLimitsSerializer(serializers.Serializer[Limits]):
    """Which stacks of its generator a key reaches: those named, and those that carry one of the labels."""

    stacks = serializers.ListField(child=serializers.UUIDField(), source="stack_ids")
    labels = serializers.ListField(child=serializers.CharField())

    def to_representation(self, instance: Limits) -> dict[str, Any]:
        # In the order of the stored form, because sets have none.
        return dict(instance.as_json())


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An agent's key",
            value={
                "admin": False,
                "agent": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11",
                "generator": None,
                "readonly": False,
            },
        )
    ]
)
class IdentitySerializer(serializers.Serializer[Any]):
    """What a key is good for. `readonly` is true for admin keys that only read; `ends_at` and `limits` are left out for
    keys without.
    """

    admin = serializers.BooleanField(source="is_admin")
    agent = serializers.UUIDField(source="agent_id", allow_null=True)
    generator = serializers.UUIDField(source="generator_id", allow_null=True)
    readonly = serializers.BooleanField(source="is_read_only")
    ends_at = serializers.DateTimeField(required=False, help_text="When the key stops working.")
    limits = KeyLimitsSerializer(required=False)

    def to_representation(self, instance: Principal) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if name not in _LEFT_OUT or value is not None}


@extend_schema_serializer(
    examples=[OpenApiExample("The old key works for one more day", value={"overlap_seconds": 86400})]
)
class RotatePakBody(serializers.Serializer[Any]):
    """Without it the old key stops working at once."""

    overlap_seconds = WholeNumber(
        required=False,
        default=0,
        min_value=-(2**31),
        max_value=2**31 - 1,
        rule={"minimum": 0, "maximum": int(LONGEST_OVERLAP.total_seconds())},
        help_text="For this long the old key works too.",
    )


def overlap_of(body: dict[str, Any]) -> timedelta:
    """For how long the old key is to work on."""
    return timedelta(seconds=body["overlap_seconds"])
