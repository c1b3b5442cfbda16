from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsThisAgent
from agents.errors import AgentNotFound
from agents.models import Agent
from agents.services.agents import record_heartbeat
from agents.services.events import Report
from core import clock
from core.api.errors import CACHE_CONTROL
from health.services import HealthReport
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from sync.api.answers import answer
from sync.api.serializers import ConfirmRemovalsBody, SyncAnswerSerializer, SyncBody, SyncQuery
from sync.look import look
from sync.services import Renewal, confirm_removals, note_waiting_removals, receive_reports, renew_claims


class SyncViewSet(KeyedViewSet):
    queryset = Agent.objects.active()
    serializer_class = SyncAnswerSerializer
    optional_body = frozenset({"sync"})

    def get_permissions(self) -> list[BasePermission]:
        return [IsThisAgent() if self.action == "sync" else IsAdmin()]

    @extend_schema(
        operation_id="sync_agent",
        tags=["sync"],
        summary="Say what is new, and hear what is new",
        parameters=[SyncQuery],
        request=SyncBody,
        responses=SyncAnswerSerializer,
    )
    def sync(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Heartbeat, reports, health, renewals and the target state in one call. Reports are sent until a call that had
        them is answered; each is recorded once. A call with `wait_seconds` is held by the web process before it comes
        here (`server/waiting_room.py`). Only the agent itself.
        """
        self.read_query(SyncQuery)
        body = self.read_body(SyncBody)
        now = clock.now()
        record_heartbeat(
            agent_id=agent_id,
            k8s_reachable=body["k8s_reachable"],
            k8s_api_latency_ms=body["k8s_api_latency_ms"],
            agent_version=body["agent_version"],
        )
        unknown = receive_reports(
            agent_id=agent_id,
            reports=[(each.pop("report_id"), Report(**each)) for each in body["reports"]],
            health=[(each.pop("report_id"), HealthReport(**each)) for each in body["health"]],
            actor=self.actor,
            now=now,
        )
        renewals = [Renewal(**each) for each in body["renewals"]]
        renewed = renew_claims(renewals=renewals, actor=self.actor, now=now)
        confirmed = note_waiting_removals(agent_id=agent_id, object_ids=body["waiting_removals"], now=now)
        found = look(agent_id)
        if found is None:
            raise AgentNotFound(id=agent_id)
        content = answer(
            agent_id,
            found,
            tag=body["tag"],
            held=body["held"],
            renewals=renewed,
            unknown_reports=unknown,
            confirmed_removals=confirmed,
        )
        return HttpResponse(
            content, content_type="application/json", headers={"Cache-Control": CACHE_CONTROL}
        )

    @extend_schema(
        operation_id="confirm_removals",
        tags=["sync"],
        summary="Confirm removals that an agent holds back",
        request=ConfirmRemovalsBody,
        responses={204: None},
    )
    def confirm(self, request: Request, *, agent_id: UUID) -> Response:
        """An agent that would remove more than half of its stacks at once waits for this. Admin only."""
        body = self.read_body(ConfirmRemovalsBody)
        confirm_removals(
            agent_id=agent_id, object_ids=body["deployment_object_ids"], actor=self.actor, now=clock.now()
        )
        return Response(status=204)
