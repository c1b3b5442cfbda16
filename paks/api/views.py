"""The base of views that know their caller, and POST /auth/pak."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ResourceViewSet
from core.events import Actor
from paks.api.caller import actor_of, caller
from paks.api.permissions import AnyCaller
from paks.api.serializers import IdentitySerializer
from paks.models import Pak
from paks.principals import Principal


class KeyedViewSet(ResourceViewSet):
    """A view whose rules ask who calls."""

    @property
    def caller(self) -> Principal:
        return caller(self.request)

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)


class IdentityViewSet(KeyedViewSet):
    queryset = Pak.objects.none()
    serializer_class = IdentitySerializer
    permission_classes = [AnyCaller]

    @extend_schema(
        operation_id="verify_pak",
        tags=["auth"],
        summary="Who am I",
        request=None,
        responses=IdentitySerializer,
    )
    def identify(self, request: Request, **ids: Any) -> Response:
        """Answers which admin, agent or generator the key belongs to."""
        return Response(IdentitySerializer(self.caller).data)
