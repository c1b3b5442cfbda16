from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsAdminOrThisAgent, MayReadEvents
from agents.api.serializers import AgentEventSerializer, EventListQuery, ReportEventBody, ReportEventsBody
from agents.errors import AgentEventNotFound, AgentIdMismatch
from agents.models import AgentEvent
from agents.querysets import AgentEventQuerySet
from agents.services.events import Report, report_event, report_events
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from paks.api.views import KeyedViewSet

# The latest word, whether it was said first or again.
_LATEST_FIRST = ("-updated_at", "-id")


class AgentReportsViewSet(KeyedViewSet):
    """The events of one agent."""

    queryset = AgentEvent.objects.active()
    serializer_class = AgentEventSerializer
    permission_classes = [IsAdminOrThisAgent]

    @extend_schema(
        operation_id="list_events",
        tags=["events"],
        summary="List an agent's events",
        parameters=[ListQuery],
        responses=AgentEventSerializer(many=True),
    )
    def list(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """The latest word first, said anew or again. Admin, or the agent itself."""
        rows = AgentEvent.objects.active().filter(agent_id=agent_id)
        return self.answer_list(
            rows, AgentEventSerializer, order=_LATEST_FIRST, query=self.read_query(ListQuery)
        )

    @extend_schema(
        operation_id="create_event",
        tags=["events"],
        summary="Report on a deployment object",
        request=ReportEventBody,
        responses={201: AgentEventSerializer},
    )
    @idempotent
    def create(self, request: Request, *, agent_id: UUID) -> Response:
        """A report that says the same as the latest on the object counts that one up. Admin, or the agent itself."""
        body = self.read_body(ReportEventBody)
        if body.pop("agent_id", agent_id) != agent_id:
            raise AgentIdMismatch
        event = report_event(**body, agent_id=agent_id, actor=self.actor)
        return Response(AgentEventSerializer(event).data, status=201)

    @extend_schema(
        operation_id="create_events",
        tags=["events"],
        summary="Report on many deployment objects",
        request=ReportEventsBody,
        responses={201: AgentEventSerializer(many=True)},
    )
    @idempotent
    def create_batch(self, request: Request, *, agent_id: UUID) -> Response:
        """As if they were reported one by one, in one transaction: all or none. The answer has one event for each
        report, in their order; reports in a row that say the same of one object share one. Admin, or the agent itself.
        """
        reports = self.read_body(ReportEventsBody)["events"]
        for index, body in enumerate(reports):
            if body.pop("agent_id", agent_id) != agent_id:
                raise AgentIdMismatch(index=index)
        events = report_events(
            agent_id=agent_id, reports=[Report(**body) for body in reports], actor=self.actor
        )
        return Response(AgentEventSerializer(events, many=True).data, status=201)


class AgentEventViewSet(KeyedViewSet):
    """The events of all agents."""

    queryset = AgentEvent.objects.active()
    serializer_class = AgentEventSerializer
    permission_classes = [MayReadEvents]

    @extend_schema(
        operation_id="list_agent_events",
        tags=["events"],
        summary="List events of all agents",
        parameters=[EventListQuery],
        responses=AgentEventSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """The latest word first, said anew or again. An admin sees all, an agent its own."""
        query = self.read_query(EventListQuery)
        rows = self._visible()
        if "pak_id" in query:
            rows = rows.about_stacks_of(query["pak_id"])
        return self.answer_list(rows, AgentEventSerializer, order=_LATEST_FIRST, query=query)

    @extend_schema(
        operation_id="get_agent_event",
        tags=["events"],
        summary="Get an event",
        responses=AgentEventSerializer,
    )
    def retrieve(self, request: Request, *, event_id: UUID) -> HttpResponse:
        """An admin reads any, an agent its own."""
        event = self._visible().filter(id=event_id).first()
        if event is None:
            raise AgentEventNotFound(id=event_id)
        return self.answer(AgentEventSerializer(event))

    def _visible(self) -> AgentEventQuerySet:
        rows: AgentEventQuerySet = AgentEvent.objects.active()
        return rows if self.caller.is_admin else rows.filter(agent=self.caller.agent_id)
