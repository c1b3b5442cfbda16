from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsAdminOrThisAgent
from agents.api.serializers import AddTargetBody, AgentTargetSerializer
from agents.errors import AgentIdMismatch, TargetCreateDenied, TargetGeneratorMismatch
from agents.models import AgentTarget
from agents.services.agents import lock_agent
from agents.services.targets import add_target, remove_target, require_registration
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from core.api.planned import planned
from paks.api.permissions import AnyCaller
from paks.api.views import KeyedViewSet
from stacks.access import owns
from stacks.models import Stack
from stacks.services import lock_stack


class AgentTargetViewSet(KeyedViewSet):
    queryset = AgentTarget.objects.all()
    serializer_class = AgentTargetSerializer

    def get_permissions(self) -> list[BasePermission]:
        return [IsAdminOrThisAgent() if self.action == "list" else AnyCaller()]

    @extend_schema(
        operation_id="list_targets",
        tags=["agents"],
        summary="List an agent's explicit targets",
        parameters=[ListQuery],
        responses=AgentTargetSerializer(many=True),
    )
    def list(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Admin, or the agent itself."""
        rows = self.get_queryset().filter(agent_id=agent_id)
        return self.answer_list(rows, AgentTargetSerializer, order=("id",), query=self.read_query(ListQuery))

    @extend_schema(
        operation_id="add_target",
        tags=["agents"],
        summary="Give a stack to an agent",
        request=AddTargetBody,
        responses={201: AgentTargetSerializer},
    )
    @idempotent
    @planned(takes_away=False)
    def create(self, request: Request, *, agent_id: UUID) -> Response:
        """Admin, or the generator that owns the stack."""
        body = self.read_body(AddTargetBody)
        with transaction.atomic():
            stack = self._stack(body["stack_id"])
            require_registration(agent_id=agent_id, stack=stack)
            if body.get("agent_id", agent_id) != agent_id:
                raise AgentIdMismatch
            target = add_target(agent=lock_agent(agent_id), stack=stack, actor=self.actor)
        return Response(AgentTargetSerializer(target).data, status=201)

    @extend_schema(
        operation_id="remove_target",
        tags=["agents"],
        summary="Take a stack from an agent",
        responses={204: None},
    )
    @planned()
    def destroy(self, request: Request, *, agent_id: UUID, stack_id: UUID) -> Response:
        """Admin, or the generator that owns the stack."""
        with transaction.atomic():
            remove_target(agent_id=agent_id, stack=self._stack(stack_id), actor=self.actor)
        return Response(status=204)

    def _stack(self, stack_id: UUID) -> Stack:
        stack = lock_stack(stack_id)
        if self.caller.agent_id is not None:
            raise TargetCreateDenied
        if not owns(self.caller, stack):
            raise TargetGeneratorMismatch
        return stack
