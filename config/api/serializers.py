from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers


class ChangeSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    old_value = serializers.CharField()
    new_value = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One has changed",
            value={
                "reloaded_at": "2026-11-24T09:30:00.000000Z",
                "changes": [{"key": "log.level", "old_value": "info", "new_value": "debug"}],
                "success": True,
                "message": "1 setting has changed.",
            },
        )
    ]
)
class ReloadSerializer(serializers.Serializer[Any]):
    reloaded_at = serializers.DateTimeField()
    changes = ChangeSerializer(many=True)
    success = serializers.BooleanField()
    message = serializers.CharField()
