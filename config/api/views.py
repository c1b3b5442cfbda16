"""Changed settings over the API."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.serializers import ReloadSerializer
from config.models import ConfigSnapshot
from config.services import reload_settings
from core import clock
from paks.api.caller import actor_of
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet


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
        answer = {"reloaded_at": clock.now(), "changes": changes, "success": True, "message": message}
        return Response(ReloadSerializer(answer).data)
