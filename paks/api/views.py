"""The base of views that know their caller, and POST /auth/pak."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import parse_uuid
from core.api.views import ResourceViewSet
from core.events import Actor
from core.models import Resource
from core.prepared_rows import AskedRow
from core.request_context import context_of
from paks.api.caller import actor_of, caller
from paks.api.permissions import AnyCaller
from paks.api.serializers import IdentitySerializer
from paks.errors import PakReadOnly
from paks.models import Pak
from paks.principals import Principal


class KeyedViewSet(ResourceViewSet):
    """A view whose rules ask who calls. Callers that only read are refused whatever changes something."""

    # Actions whose method does not tell: those that are sent by POST and change nothing, and those that are asked for
    # by GET and change something.
    reading_posts: ClassVar[frozenset[str]] = frozenset()
    writing_gets: ClassVar[frozenset[str]] = frozenset()

    # The resource that the path names, and the name of its id there. A GET request reads it together with the key.
    resource_of_path: ClassVar[tuple[type[Resource], str] | None] = None

    def perform_authentication(self, request: Request) -> None:
        if self.resource_of_path is not None and request.method == "GET":
            model, name = self.resource_of_path
            identifier = parse_uuid(self.kwargs[name]) if name in self.kwargs else None
            if identifier is not None:
                context_of(request._request).asked = AskedRow(model, identifier)
        super().perform_authentication(request)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.caller.is_read_only and self.changes_something:
            raise PakReadOnly

    @property
    def changes_something(self) -> bool:
        """Whether the request may change something."""
        if self.request.method == "GET":
            return self.action in self.writing_gets
        return self.action not in self.reading_posts

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
    reading_posts = frozenset({"identify"})

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
