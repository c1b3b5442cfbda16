from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import NAME_RULE, Flag, Id, QueryText, Text
from core.api.pagination import ListQuery
from core.api.rows import RowSerializer
from generators.models import Generator

_EXAMPLE = {
    "id": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11",
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "deleted_at": None,
    "name": "payments-ci",
    "description": "Pipelines of the payments team",
    "last_active_at": None,
    "is_active": True,
    "is_system": False,
}


@extend_schema_serializer(examples=[OpenApiExample("A generator", value=_EXAMPLE, response_only=True)])
class GeneratorSerializer(RowSerializer[Generator]):
    class Meta:
        model = Generator
        fields = [
            "id",
            "created_at",
            "updated_at",
            "deleted_at",
            "name",
            "description",
            "last_active_at",
            "is_active",
            "is_system",
        ]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new generator", value={"name": "payments-ci", "description": "Pipelines of the payments team"}
        )
    ]
)
class CreateGeneratorBody(serializers.Serializer[Any]):
    name = Text(rule=NAME_RULE)
    description = Text(required=False, allow_null=True, default=None)


@extend_schema_serializer(examples=[OpenApiExample("Rename", value={"name": "payments-delivery"})])
class UpdateGeneratorBody(serializers.Serializer[Any]):
    """The whole generator or only what changes; read-only fields are not looked at."""

    id = Id(required=False, help_text="If present, must be the id in the path.")
    name = Text(rule=NAME_RULE, required=False)
    description = Text(required=False, allow_null=True)
    is_active = Flag(required=False, help_text="Only an admin may change it.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "With its key",
            value={"generator": _EXAMPLE, "pak": "brokkr_BRexample_theKeyIsShownOnlyInThisAnswer"},
            response_only=True,
        )
    ]
)
class GeneratorWithPakSerializer(serializers.Serializer[Any]):
    generator = GeneratorSerializer()
    pak = serializers.CharField(help_text="The key. It is shown once.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("A tenant", value={"id": _EXAMPLE["id"], "name": _EXAMPLE["name"]}, response_only=True)
    ]
)
class TenantSerializer(RowSerializer[Generator]):
    class Meta:
        model = Generator
        fields = ["id", "name"]
        read_only_fields = fields


class GeneratorListQuery(ListQuery):
    name = QueryText(required=False, help_text="Only names that contain this, in any case.")
