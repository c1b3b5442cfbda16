from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from paks.principals import Principal


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
    """What a key is good for. `readonly` is always false here; agents refuse to start without it."""

    admin = serializers.BooleanField(source="is_admin")
    agent = serializers.UUIDField(source="agent_id", allow_null=True)
    generator = serializers.UUIDField(source="generator_id", allow_null=True)
    readonly = serializers.SerializerMethodField()

    def get_readonly(self, principal: Principal) -> bool:
        return False
