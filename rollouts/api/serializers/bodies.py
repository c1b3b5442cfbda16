"""What requests about rollouts may say, beside strategies and freezes."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import FILLED_RULE, Reason, Text, WholeNumber
from rollouts.models import RolloutCheck

_TOLD = "Goes into the audit log, and to webhooks."


@extend_schema_serializer(examples=[OpenApiExample("Why", value={"reason": "The image is known to be bad."})])
class ReasonBody(serializers.Serializer[Any]):
    reason = Reason(rule=FILLED_RULE, help_text=_TOLD)


@extend_schema_serializer(examples=[OpenApiExample("Why", value={"reason": "Lunch."})])
class OptionalReasonBody(serializers.Serializer[Any]):
    reason = Reason(required=False, default="", help_text=_TOLD)


@extend_schema_serializer(
    examples=[OpenApiExample("The second wave", value={"wave": 2, "reason": "The canary looks well."})]
)
class ApproveBody(OptionalReasonBody):
    wave = WholeNumber(
        min_value=1, max_value=1000, help_text="The number of the wave that waits for approval."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("Passed", value={"verdict": "passed", "note": "42 requests, no error."})]
)
class CheckBody(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(
        choices=RolloutCheck.Verdict.choices, help_text="`failed` stops the rollout."
    )
    note = Text(required=False, default="", help_text="For people: what was found, or where to read it.")
