"""The API of the site itself: changed settings."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brokkr_site.reload import reload_settings
from core.models import ConfigSnapshot
from paks.api.caller import actor_of
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet


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


class ConfigViewSet(KeyedViewSet):
    queryset = ConfigSnapshot.objects.all()
    serializer_class = ReloadSerializer
    permission_classes = [IsAdmin]
    optional_body = frozenset({"reload"})

    @extend_schema(
        operation_id="reload_config",
        tags=["admin"],
        summary="Use changed settings without a restart",
        request=None,
        responses=ReloadSerializer,
    )
    def reload(self, request: Request) -> Response:
        """Read the settings that may change while the broker runs, and put them in place. Admin only."""
        changes = reload_settings(actor=actor_of(request))
        match len(changes):
            case 0:
                message = "No setting has changed."
            case 1:
                message = "1 setting has changed."
            case number:
                message = f"{number} settings have changed."
        answer = {"reloaded_at": timezone.now(), "changes": changes, "success": True, "message": message}
        return Response(ReloadSerializer(answer).data)
