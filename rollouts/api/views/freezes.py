from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.idempotency import idempotent
from core.api.planned import planned
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from rollouts.access import find_freeze, visible_freezes
from rollouts.api.permissions import MaySeeRollouts
from rollouts.api.serializers.freezes import BeginFreezeBody, FreezeListQuery, FreezeSerializer
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze, lift_freeze


class FreezeViewSet(KeyedViewSet):
    queryset = Freeze.objects.all()
    serializer_class = FreezeSerializer

    def get_permissions(self) -> list[BasePermission]:
        return [MaySeeRollouts() if self.action in {"list", "retrieve"} else IsAdmin()]

    @extend_schema(
        operation_id="list_freezes",
        tags=["freezes"],
        summary="List freezes",
        parameters=[FreezeListQuery],
        responses=FreezeSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first, those that have ended included. A generator sees all but those of other generators."""
        query = self.read_query(FreezeListQuery)
        rows = Freeze.objects.filter(visible_freezes(self.caller))
        if "holding" in query:
            rows = rows.filter(lifted_at__isnull=query["holding"])
        return self.answer_list(rows, FreezeSerializer, order=("-created_at", "-id"), query=query)

    @extend_schema(
        operation_id="begin_freeze",
        tags=["freezes"],
        summary="Begin a freeze",
        request=BeginFreezeBody,
        responses={201: FreezeSerializer},
    )
    @idempotent
    @planned(takes_away=False)
    def create(self, request: Request) -> Response:
        """What agents should have stays as it is, in the scope: versions are held, waves wait, and writes that would
        change who serves what are refused with 423 `frozen`. Admin only.
        """
        body = self.read_body(BeginFreezeBody)
        freeze = begin_freeze(
            **body | {"scope": Freeze.Scope(body["scope"])}, actor=self.actor, now=clock.now()
        )
        return Response(FreezeSerializer(freeze).data, status=201)

    @extend_schema(
        operation_id="get_freeze", tags=["freezes"], summary="Get a freeze", responses=FreezeSerializer
    )
    def retrieve(self, request: Request, *, freeze_id: UUID) -> HttpResponse:
        """Admin, or a generator, unless it is of another generator."""
        return self.answer(FreezeSerializer(find_freeze(freeze_id, self.caller)))

    @extend_schema(
        operation_id="lift_freeze", tags=["freezes"], summary="Lift a freeze", responses={204: None}
    )
    @planned()
    def destroy(self, request: Request, *, freeze_id: UUID) -> Response:
        """In each stack the newest version published meanwhile starts; older ones are superseded. Admin only."""
        # Nothing of a freeze changes but that it is lifted, and that is said once: no lock is needed here.
        self.require_match(FreezeSerializer(find_freeze(freeze_id, self.caller)))
        lift_freeze(freeze_id=freeze_id, actor=self.actor, now=clock.now())
        return Response(status=204)
