"""Freezes: what a request may say, and how they are shown."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import FILLED_RULE, LABEL_RULE, Id, Moment, QueryFlag, Reason, Text
from core.api.pagination import ListQuery
from rollouts.models import Freeze


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "The whole fleet, over a holiday",
            value={"scope": "fleet", "reason": "Black Friday", "until": "2026-11-30T08:00:00Z"},
        ),
        OpenApiExample(
            "What agents in one region serve",
            value={"scope": "label", "label": "region=eu", "reason": "The EU data centre is being moved."},
        ),
    ]
)
class BeginFreezeBody(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(
        choices=Freeze.Scope.choices,
        help_text="The fleet; the stacks of one generator; or every stack that an agent with the label serves, for all "
        "its agents.",
    )
    generator_id = Id(required=False, help_text="With the scope `generator`, and only then.")
    label = Text(  # type: ignore[assignment]  # DRF fields have a `label` too
        rule=LABEL_RULE, required=False, help_text="With the scope `label`, and only then."
    )
    reason = Reason(rule=FILLED_RULE, help_text="Whoever is refused something reads it.")
    until = Moment(
        required=False, allow_null=True, help_text="When it ends by itself; without it somebody must lift it."
    )

    def validate_label(self, label: str) -> str:
        if not label:
            raise serializers.ValidationError("must not be empty", code="invalid")
        return label


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A freeze that holds",
            value={
                "id": "0193f0e0-77aa-7b1c-9d2e-3f4a5b6c7d8e",
                "created_at": "2026-11-24T09:45:00.000000Z",
                "scope": "fleet",
                "generator_id": None,
                "label": "",
                "reason": "Black Friday",
                "until": "2026-11-30T08:00:00.000000Z",
                "created_by": "astrid",
                "lifted_at": None,
                "lifted_by": "",
                "expired": False,
            },
            response_only=True,
        )
    ]
)
class FreezeSerializer(serializers.ModelSerializer[Freeze]):
    generator_id = serializers.UUIDField(read_only=True, allow_null=True)
    expired = serializers.BooleanField(
        source="has_expired", read_only=True, help_text="Whether it ended because its time had run out."
    )

    class Meta:
        model = Freeze
        fields = [
            "id",
            "created_at",
            "scope",
            "generator_id",
            "label",
            "reason",
            "until",
            "created_by",
            "lifted_at",
            "lifted_by",
            "expired",
        ]
        read_only_fields = fields
        extra_kwargs = {"lifted_at": {"help_text": "Null while it holds."}}


class FreezeListQuery(ListQuery):
    holding = QueryFlag(
        required=False, help_text="`true`: only those that hold; `false`: only those that have ended."
    )
