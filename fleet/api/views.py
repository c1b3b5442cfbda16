from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.errors import AgentNotFound
from agents.models import Agent
from fleet.api.serializers import ExplainQuery, ExplanationSerializer
from fleet.explain import explain
from paks.api.permissions import AnyCaller, IsAdmin
from paks.api.views import KeyedViewSet
from stacks.access import require_owner
from stacks.errors import StackNotFound
from stacks.models import Stack


class FleetViewSet(KeyedViewSet):
    queryset = Agent.objects.active()

    def get_permissions(self) -> list[BasePermission]:
        return [AnyCaller() if self.action == "explain" else IsAdmin()]

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
        agent = self._find(agent_id)
        found = explain(agent=agent, stack=stack, now=timezone.now())
        return Response(
            ExplanationSerializer(
                {
                    "agent_id": agent.id,
                    "stack_id": stack.id,
                    "verdict": found.verdict,
                    "conclusion": found.conclusion,
                    "checks": found.checks,
                }
            ).data
        )

    def _find(self, agent_id: UUID) -> Agent:
        agent = Agent.objects.active().with_heartbeat().filter(id=agent_id).first()
        if agent is None:
            raise AgentNotFound(id=agent_id)
        return agent
