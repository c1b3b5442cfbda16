from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from audit.models import AuditSeal, AuditVerification
from audit.services import Why
from core.api.fields import QueryNumber, Text
from core.api.rows import RowSerializer

# Whole numbers beyond are not exact in every client.
_MAX_NUMBER = 2**53 - 1
_HASH = "9f2c1e7a4b8d06f35c9a7e1b2d4f60839f2c1e7a4b8d06f35c9a7e1b2d4f6083"
_SEAL = {
    "number": 1402,
    "chain": 1,
    "previous_hash": _HASH[::-1],
    "lost_head": "",
    "entries": 18,
    "first_sequence": 88120,
    "last_sequence": 88137,
    "entries_hash": "0a4b" * 16,
    "newest_at": "2026-11-24T09:30:00.000000Z",
    "sealed_at": "2026-11-24T09:30:02.000000Z",
    "public_key": "d04a" * 16,
    "hash": _HASH,
    "signature": "5e77" * 32,
    "expired_at": None,
}


@extend_schema_serializer(examples=[OpenApiExample("A seal", value=_SEAL, response_only=True)])
class AuditSealSerializer(RowSerializer[AuditSeal]):
    """One seal of the audit log. Keep `hash` outside of the broker: it shows later that nothing before was cut off."""

    class Meta:
        model = AuditSeal
        fields = list(_SEAL)
        read_only_fields = fields


class RangeQuery(serializers.Serializer[Any]):
    first = QueryNumber(min_value=1, max_value=_MAX_NUMBER, help_text="The number of the first seal.")
    last = QueryNumber(
        min_value=1,
        max_value=_MAX_NUMBER,
        help_text="The number of the last seal; at most 100 seals, with 20,000 entries.",
    )


class FindingSerializer(serializers.Serializer[Any]):
    """The first seal that does not hold."""

    seal = serializers.IntegerField()
    why = serializers.ChoiceField(choices=[why.value for why in Why])
    explanation = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A row was removed",
            value={
                "holds": False,
                "seals": 3,
                "entries": 41,
                "erased": 0,
                "finding": {
                    "seal": 1402,
                    "why": "missing",
                    "explanation": "18 entries were sealed, and there are 17.",
                },
            },
            response_only=True,
        )
    ]
)
class RangeOutcomeSerializer(serializers.Serializer[Any]):
    holds = serializers.SerializerMethodField()
    seals = serializers.IntegerField(help_text="Checked, those beside the range included.")
    entries = serializers.IntegerField()
    erased = serializers.IntegerField(help_text="Entries of which a part was erased; their seals hold.")
    finding = FindingSerializer(allow_null=True)

    def get_holds(self, outcome: Any) -> bool:
        return outcome.finding is None


@extend_schema_serializer(
    examples=[OpenApiExample("With a hash kept outside", value={"expected_hash": _HASH}, request_only=True)]
)
class VerifyBody(serializers.Serializer[Any]):
    expected_hash = Text(
        rule={"pattern": "^([0-9a-f]{64})?$"},
        required=False,
        default="",
        help_text="The hash of a seal, kept outside; it must be in the chain.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "All hold",
            value={
                "id": "0193f0c1-0000-7000-8000-000000000077",
                "state": "holds",
                "requested_by": "ops",
                "expected_hash": _HASH,
                "created_at": "2026-11-24T09:30:00.000000Z",
                "started_at": "2026-11-24T09:30:04.000000Z",
                "finished_at": "2026-11-24T09:31:10.000000Z",
                "seals": 1402,
                "entries": 88137,
                "erased": 0,
                "broken_seal": None,
                "finding": "",
                "explanation": "",
            },
            response_only=True,
            status_codes=["200", "202"],
        )
    ]
)
class AuditVerificationSerializer(RowSerializer[AuditVerification]):
    class Meta:
        model = AuditVerification
        fields = [
            "id",
            "state",
            "requested_by",
            "expected_hash",
            "created_at",
            "started_at",
            "finished_at",
            "seals",
            "entries",
            "erased",
            "broken_seal",
            "finding",
            "explanation",
        ]
        read_only_fields = fields
