from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsAdminOrThisAgent
from core import clock
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from diagnostics.access import find_diagnostic, require_admin_or_agent, require_agent
from diagnostics.api.serializers import (
    DiagnosticRequestSerializer,
    DiagnosticResultSerializer,
    DiagnosticSerializer,
    RequestDiagnosticBody,
    SubmitResultBody,
)
from diagnostics.models import DiagnosticRequest
from diagnostics.services import (
    DEFAULT_RETENTION_MINUTES,
    claim_diagnostic,
    request_diagnostic,
    submit_result,
)
from paks.api.permissions import AnyCaller, IsAdmin
from paks.api.views import KeyedViewSet


class DiagnosticViewSet(KeyedViewSet):
    queryset = DiagnosticRequest.objects.all()
    serializer_class = DiagnosticRequestSerializer
    optional_body = frozenset({"claim"})

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {
            "create": IsAdmin(),
            "pending": IsAdminOrThisAgent(),
        }
        return [by_action.get(self.action) or AnyCaller()]

    @extend_schema(
        operation_id="create_diagnostic_request",
        tags=["diagnostics"],
        summary="Ask an agent about a deployment object",
        request=RequestDiagnosticBody,
        responses={201: DiagnosticRequestSerializer},
    )
    @idempotent
    def create(self, request: Request, *, object_id: UUID) -> Response:
        """The agent collects the state of pods, events and ends of logs, and sends them as the result. Admin only."""
        body = self.read_body(RequestDiagnosticBody)
        minutes: int | None = body["retention_minutes"]
        diagnostic = request_diagnostic(
            deployment_object_id=object_id,
            agent_id=body["agent_id"],
            requested_by=body["requested_by"],
            retention_minutes=DEFAULT_RETENTION_MINUTES if minutes is None else minutes,
            actor=self.actor,
            now=clock.now(),
        )
        return Response(DiagnosticRequestSerializer(diagnostic).data, status=201)

    @extend_schema(
        operation_id="get_diagnostic",
        tags=["diagnostics"],
        summary="Get a diagnostic request and its result",
        responses=DiagnosticSerializer,
    )
    def retrieve(self, request: Request, *, diagnostic_id: UUID) -> HttpResponse:
        """Admin, or the agent that is asked."""
        diagnostic = find_diagnostic(diagnostic_id)
        require_admin_or_agent(self.caller, diagnostic)
        return self.answer(DiagnosticSerializer(diagnostic))

    @extend_schema(
        operation_id="get_pending_diagnostics",
        tags=["diagnostics"],
        summary="List the requests an agent may claim",
        parameters=[ListQuery],
        responses=DiagnosticRequestSerializer(many=True),
    )
    def pending(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Oldest first, without those that have expired. Admin, or the agent itself."""
        return self.answer_list(
            DiagnosticRequest.objects.claimable(clock.now()).filter(agent_id=agent_id),
            DiagnosticRequestSerializer,
            order=("created_at", "id"),
            query=self.read_query(ListQuery),
        )

    @extend_schema(
        operation_id="claim_diagnostic",
        tags=["diagnostics"],
        summary="Claim a diagnostic request",
        request=None,
        responses=DiagnosticRequestSerializer,
    )
    def claim(self, request: Request, *, diagnostic_id: UUID) -> Response:
        """Exactly one of simultaneous claims succeeds. The agent that is asked, or an admin."""
        require_admin_or_agent(self.caller, find_diagnostic(diagnostic_id))
        diagnostic = claim_diagnostic(diagnostic_id=diagnostic_id, actor=self.actor, now=clock.now())
        return Response(DiagnosticRequestSerializer(diagnostic).data)

    @extend_schema(
        operation_id="submit_diagnostic_result",
        tags=["diagnostics"],
        summary="Answer a diagnostic request",
        request=SubmitResultBody,
        responses={201: DiagnosticResultSerializer},
    )
    @idempotent
    def submit(self, request: Request, *, diagnostic_id: UUID) -> Response:
        """Once, after the claim. Only the agent that is asked."""
        body = self.read_body(SubmitResultBody)
        require_agent(self.caller, find_diagnostic(diagnostic_id))
        result = submit_result(diagnostic_id=diagnostic_id, **body, actor=self.actor, now=clock.now())
        return Response(DiagnosticResultSerializer(result).data, status=201)
