from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.errors import AgentNotFound
from agents.models import Agent, AgentEvent
from core import clock
from core.api.pagination import paginate_rows
from fleet.api.serializers import (
    AgentFleetStatusSerializer,
    ExplainQuery,
    ExplanationSerializer,
    FleetAgentRecordSerializer,
    FleetQuery,
)
from fleet.explanation import explain
from fleet.rollup import fleet_agents, records
from inventory.api.serializers import conflict_to_json
from paks.api.permissions import AnyCaller, IsAdmin
from paks.api.views import KeyedViewSet
from stacks.access import require_owner
from stacks.errors import StackNotFound
from stacks.models import Stack

_RECENT = 20


class FleetViewSet(KeyedViewSet):
    queryset = Agent.objects.active()

    def get_permissions(self) -> list[BasePermission]:
        return [AnyCaller() if self.action == "explain" else IsAdmin()]

    @extend_schema(
        operation_id="list_fleet",
        tags=["fleet"],
        summary="List what is measured of each agent",
        parameters=[FleetQuery],
        responses=FleetAgentRecordSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """All live agents, the first created first. Admin only."""
        query = self.read_query(FleetQuery)
        agents = fleet_agents()
        if "pak_id" in query:
            agents = agents.registered_with(query["pak_id"])
        page, headers = paginate_rows(
            agents, order=("created_at", "id"), query=query, request=request._request
        )
        are_all = query.keys().isdisjoint({"pak_id", "limit", "cursor"})
        # Without the serializer, which takes a second for ten thousand rows. A test compares the two answers.
        return Response(cast(Any, records(page, now=clock.now(), are_all=are_all)), headers=headers)

    @extend_schema(
        operation_id="get_agent_fleet_status",
        tags=["fleet"],
        summary="Get what is measured of one agent, and its newest events",
        responses=AgentFleetStatusSerializer,
    )
    def of_agent(self, request: Request, *, agent_id: UUID) -> Response:
        """Admin only."""
        agents = list(fleet_agents().filter(id=agent_id))
        if not agents:
            raise AgentNotFound(id=agent_id)
        (line,) = records(agents, now=clock.now())
        events = AgentEvent.objects.active().filter(agent_id=agent_id).order_by("-updated_at", "-id")
        answer = {"record": line, "recent_events": events[:_RECENT]}
        return Response(AgentFleetStatusSerializer(answer).data)

    @extend_schema(
        operation_id="explain_agent",
        tags=["fleet"],
        summary="Explain why an agent has a stack or has not",
        parameters=[ExplainQuery],
        responses=ExplanationSerializer,
    )
    def explain(self, request: Request, *, agent_id: UUID) -> Response:
        """The facts from the stack to the cluster, in order, and what they come to. A deleted stack is explained too.
        Admin, or the generator that owns the stack.
        """
        stack_id: UUID = self.read_query(ExplainQuery)["stack_id"]
        stack = Stack.objects.filter(id=stack_id).first()
        if stack is None:
            raise StackNotFound(id=stack_id)
        require_owner(self.caller, stack)
        agent = Agent.objects.active().with_heartbeat().filter(id=agent_id).first()
        if agent is None:
            raise AgentNotFound(id=agent_id)
        found = explain(agent=agent, stack=stack, now=clock.now(), reader=self.caller)
        return Response(
            ExplanationSerializer(
                {
                    "agent_id": agent.id,
                    "stack_id": stack.id,
                    "verdict": found.verdict,
                    "conclusion": found.conclusion,
                    "checks": found.checks,
                    "conflicts": [conflict_to_json(each) for each in found.conflicts],
                }
            ).data
        )
