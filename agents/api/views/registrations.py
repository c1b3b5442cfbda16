from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.access import listable_agents
from agents.api.permissions import IsAdminOrThisAgent, MayRegister, MaySeeRegisteredAgents
from agents.api.serializers import RegisterBody, RegistrationSerializer
from agents.errors import AgentNotFound, MissingAgentId
from agents.models import Agent, Registration
from agents.services.registrations import deregister_agent, register_agent
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from core.api.planned import planned
from generators.errors import GeneratorNotFound
from generators.models import Generator
from generators.services import lock_generator
from paks.api.views import KeyedViewSet

_ORDER = ("registered_at", "id")


class RegistrationViewSet(KeyedViewSet):
    queryset = Registration.objects.all()
    serializer_class = RegistrationSerializer
    optional_body = frozenset({"register", "deregister"})

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {
            "of_agent": IsAdminOrThisAgent(),
            "of_generator": MaySeeRegisteredAgents(),
        }
        return [by_action.get(self.action) or MayRegister()]

    @extend_schema(
        operation_id="register_agent",
        tags=["registrations"],
        summary="Register an agent with a generator",
        request=RegisterBody,
        responses={201: RegistrationSerializer},
    )
    @idempotent
    @planned(takes_away=False)
    def register(self, request: Request, *, generator_id: UUID) -> Response:
        """An agent registers itself; an admin names the agent."""
        agent_id = self._agent_id()
        with transaction.atomic():
            registration = register_agent(
                agent_id=agent_id, generator=lock_generator(generator_id), actor=self.actor
            )
        return Response(RegistrationSerializer(registration).data, status=201)

    @extend_schema(
        operation_id="deregister_agent",
        tags=["registrations"],
        summary="Withdraw a registration",
        request=RegisterBody,
        responses={204: None},
    )
    @planned()
    def deregister(self, request: Request, *, generator_id: UUID) -> Response:
        """Also removes the agent's explicit targets on the generator's stacks. 204 also when there was none."""
        agent_id = self._agent_id()
        with transaction.atomic():
            deregister_agent(agent_id=agent_id, generator=lock_generator(generator_id), actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="list_generator_registered_agents",
        tags=["registrations"],
        summary="List the agents registered with a generator",
        parameters=[ListQuery],
        responses=RegistrationSerializer(many=True),
    )
    def of_generator(self, request: Request, *, generator_id: UUID) -> HttpResponse:
        """Admin, or the generator itself."""
        query = self.read_query(ListQuery)
        if not Generator.objects.active().filter(id=generator_id).exists():
            raise GeneratorNotFound(id=generator_id)
        rows = self.get_queryset().filter(generator_id=generator_id)
        if self.caller.limits is not None:
            rows = rows.filter(agent__in=listable_agents(self.caller).values("pk"))
        return self.answer_list(rows, RegistrationSerializer, order=_ORDER, query=query)

    @extend_schema(
        operation_id="list_agent_registrations",
        tags=["registrations"],
        summary="List an agent's registrations",
        parameters=[ListQuery],
        responses=RegistrationSerializer(many=True),
    )
    def of_agent(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Admin, or the agent itself."""
        query = self.read_query(ListQuery)
        if not Agent.objects.active().filter(id=agent_id).exists():
            raise AgentNotFound(id=agent_id)
        rows = self.get_queryset().filter(agent_id=agent_id)
        return self.answer_list(rows, RegistrationSerializer, order=_ORDER, query=query)

    def _agent_id(self) -> UUID:
        body = self.read_body(RegisterBody)
        if self.caller.agent_id is not None:
            return self.caller.agent_id
        agent_id: UUID | None = body["agent_id"]
        if agent_id is None:
            raise MissingAgentId
        return agent_id
