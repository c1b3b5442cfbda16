from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.access import listable_agents
from agents.api.history_headers import KNOWN_SINCE, SETTINGS
from agents.api.permissions import IsAdminOrThisAgent, IsThisAgent, MayListAgents
from agents.api.serializers import (
    AgentAnnotationSerializer,
    AgentLabelSerializer,
    AgentListQuery,
    AgentLookUpQuery,
    AgentSerializer,
    AgentWithInitialPakSerializer,
    AgentWithPakSerializer,
    CreateAgentBody,
    HeartbeatBody,
    InstallQuery,
    TargetStateQuery,
    UpdateAgentBody,
)
from agents.api.state import respond, respond_at
from agents.errors import (
    AgentAnnotationNotFound,
    AgentIdMismatch,
    AgentLabelNotFound,
    AgentNotFound,
    AgentPakMismatch,
    NameAndClusterRequired,
)
from agents.install import InstallForm, address_of_broker, install_text
from agents.models import Agent, AgentHeartbeat
from agents.services.agents import (
    AgentChanges,
    create_agent,
    delete_agent,
    lock_agent,
    record_heartbeat,
    rotate_agent_pak,
    update_agent,
)
from agents.target_state import state_of
from agents.wanted.ties import served_stacks
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from core.api.planned import planned
from core.api.views import ResourceViewSet
from core.labels.api.views import LabelsMixin
from paks.api.permissions import AnyCaller, IsAdmin
from paks.api.serializers import RotatePakBody, overlap_of
from paks.api.views import KeyedViewSet
from paks.errors import AdminRequired
from stacks.api.labels import matching_operations
from stacks.api.serializers import DeploymentObjectSerializer, StackSerializer

_INSTALLATION = "The variables, or the manifests."
# Plain text for all forms: manifests are several documents, and many readers of YAML answers expect one.
_INSTALLATION_TEXT = OpenApiResponse(
    OpenApiTypes.STR,
    _INSTALLATION,
    examples=[
        OpenApiExample("Variables", value="BROKKR__AGENT__BROKER_URL=https://brokkr.example.com\n"),
        OpenApiExample("Manifests", value="apiVersion: v1\nkind: Namespace\n"),
    ],
)


@extend_schema_view(**matching_operations("agent", AgentLabelSerializer, AgentAnnotationSerializer))
class AgentViewSet(KeyedViewSet, LabelsMixin, ResourceViewSet):
    queryset = Agent.objects.active()
    serializer_class = AgentSerializer
    label_serializer = AgentLabelSerializer
    annotation_serializer = AgentAnnotationSerializer
    label_not_found = AgentLabelNotFound
    annotation_not_found = AgentAnnotationNotFound
    owner_mismatch = AgentIdMismatch
    optional_body = frozenset({"heartbeat", "rotate_pak"})

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {
            "list": MayListAgents(),
            "look_up": AnyCaller(),
            "heartbeat": IsThisAgent(),
            "create": IsAdmin(),
            "destroy": IsAdmin(),
            "add_label": IsAdmin(),
            "remove_label": IsAdmin(),
            "add_annotation": IsAdmin(),
            "remove_annotation": IsAdmin(),
        }
        return [by_action.get(self.action) or IsAdminOrThisAgent()]

    def label_owner_id(self) -> UUID:
        agent_id: UUID = self.kwargs["agent_id"]
        return agent_id

    def label_owner(self) -> Agent:
        return self._find(self.kwargs["agent_id"])

    @extend_schema(
        operation_id="list_agents",
        tags=["agents"],
        summary="List agents",
        parameters=[AgentListQuery],
        responses=AgentSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """An admin sees all live agents, a generator those registered with it. A key with limits sees only those of
        them that serve a stack which it reaches.
        """
        query = self.read_query(AgentListQuery)
        rows = listable_agents(self.caller).with_heartbeat()
        if "name" in query:
            rows = rows.named_like(query["name"])
        if "label" in query:
            rows = rows.with_label(query["label"])
        exact = {field: query[field] for field in ("cluster_name", "status") if field in query}
        return self.answer_list(
            rows.filter(**exact), AgentSerializer, order=("created_at", "id"), query=query
        )

    @extend_schema(
        operation_id="create_agent",
        tags=["agents"],
        summary="Create an agent",
        request=CreateAgentBody,
        responses={201: AgentWithInitialPakSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Answers the agent, inactive, with its key, which is shown only here. Agent, key, registrations and labels are
        made together or not at all. Admin only.
        """
        body = self.read_body(CreateAgentBody)
        agent, key = create_agent(**body, actor=self.actor)
        return Response(AgentWithInitialPakSerializer({"agent": agent, "initial_pak": key}).data, status=201)

    @extend_schema(
        operation_id="search_agent",
        tags=["agents"],
        summary="Look an agent up by name",
        parameters=[AgentLookUpQuery],
        responses=AgentSerializer,
    )
    def look_up(self, request: Request) -> HttpResponse:
        """The one live agent with this name and cluster. Admin, or that agent."""
        if not {"name", "cluster_name"} <= request.query_params.keys():
            raise NameAndClusterRequired
        query = self.read_query(AgentLookUpQuery)
        agent = Agent.objects.active().with_heartbeat().filter(**query).first()
        if agent is None:
            raise AgentNotFound
        if not self.caller.is_admin and not self.caller.is_agent(agent.id):
            raise AgentPakMismatch
        return self.answer(AgentSerializer(agent))

    @extend_schema(
        operation_id="get_agent", tags=["agents"], summary="Get an agent", responses=AgentSerializer
    )
    def retrieve(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Admin, or the agent itself."""
        return self.answer(AgentSerializer(self._find(agent_id)))

    @extend_schema(
        operation_id="get_agent_installation",
        tags=["agents"],
        summary="Get what starts the agent in its cluster",
        parameters=[InstallQuery],
        responses={(200, "text/plain"): _INSTALLATION_TEXT},
    )
    def install(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """A text without the key, which was shown when it was made: put it where the placeholder is. The broker's
        address is `BROKKR_PUBLIC_URL`, else the one of this request. Admin, or the agent itself.
        """
        form = InstallForm(self.read_query(InstallQuery)["format"])
        agent = self._find(agent_id)
        text = install_text(form, agent=agent, broker_url=address_of_broker(request._request))
        return HttpResponse(text, content_type="text/plain; charset=utf-8")

    @extend_schema(
        operation_id="update_agent",
        tags=["agents"],
        summary="Change an agent",
        request=UpdateAgentBody,
        responses=AgentSerializer,
    )
    @planned(takes_away=False)
    def update(self, request: Request, *, agent_id: UUID) -> Response:
        """Takes the whole object or only the changed fields. Admin, or the agent itself, but for
        `silent_after_seconds`, which only an admin changes.
        """
        body: Any = self.read_body(UpdateAgentBody)
        if body.pop("id", agent_id) != agent_id:
            raise AgentIdMismatch
        changes: AgentChanges = body
        with transaction.atomic():
            agent = self._locked(agent_id)
            # An agent may send its whole object back, but it must not change how long it may be silent.
            grace = changes.get("silent_after_seconds", agent.silent_after_seconds)
            if grace != agent.silent_after_seconds and not self.caller.is_admin:
                raise AdminRequired
            agent = update_agent(agent=agent, changes=changes, actor=self.actor)
        return Response(AgentSerializer(agent).data)

    @extend_schema(
        operation_id="delete_agent", tags=["agents"], summary="Delete an agent", responses={204: None}
    )
    @planned()
    def destroy(self, request: Request, *, agent_id: UUID) -> Response:
        """Its keys stop working at once. 204 also when there is no such agent. Admin only."""
        with transaction.atomic():
            try:
                agent = self._locked(agent_id)
            except AgentNotFound:
                return Response(status=204)
            delete_agent(agent=agent, actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="rotate_agent_pak",
        tags=["agents"],
        summary="Replace an agent's key",
        request=RotatePakBody,
        responses=AgentWithPakSerializer,
    )
    @idempotent
    def rotate_pak(self, request: Request, *, agent_id: UUID) -> Response:
        """The old keys stop working at once, or after `overlap_seconds`; the new one is shown only here."""
        overlap = overlap_of(self.read_body(RotatePakBody))
        with transaction.atomic():
            agent = lock_agent(agent_id)
            key = rotate_agent_pak(agent=agent, actor=self.actor, overlap=overlap)
        return Response(AgentWithPakSerializer({"agent": agent, "pak": key}).data)

    @extend_schema(
        operation_id="record_heartbeat",
        tags=["agents"],
        summary="Say that the agent is alive",
        request=HeartbeatBody,
        responses={204: None},
    )
    def heartbeat(self, request: Request, *, agent_id: UUID) -> Response:
        """The body is optional. Only the agent itself."""
        body = self.read_body(HeartbeatBody)
        record_heartbeat(agent_id=agent_id, **body)
        return Response(status=204)

    @extend_schema(
        operation_id="get_target_state",
        tags=["agents"],
        summary="What the agent should have deployed",
        parameters=[TargetStateQuery, KNOWN_SINCE, SETTINGS],
        responses=DeploymentObjectSerializer(many=True),
    )
    def target_state(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Of every stack the agent serves the newest version that is not held or is released to it, newest first; and
        deletion markers of what it must remove. With `at`, what a full poll got at that moment, also of an agent that
        was deleted since; `X-Brokkr-Known-Since` says how far back that is known.
        """
        query = self.read_query(TargetStateQuery)
        if "at" in query:
            return respond_at(request._request, agent_id=agent_id, at=query["at"])
        state = state_of(agent_id=agent_id, mode=query["mode"])
        return respond(request._request, state, agent_id=self.caller.agent_id)

    @extend_schema(
        operation_id="list_agent_stacks",
        tags=["agents"],
        summary="List the stacks an agent serves",
        parameters=[ListQuery],
        responses=StackSerializer(many=True),
    )
    def stacks(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """By the same rule as the target state."""
        return self.answer_list(
            served_stacks(agent_id), StackSerializer, order=("id",), query=self.read_query(ListQuery)
        )

    def _find(self, agent_id: UUID) -> Agent:
        agent = Agent.objects.active().with_heartbeat().filter(id=agent_id).first()
        if agent is None:
            raise AgentNotFound(id=agent_id)
        return agent

    def _locked(self, agent_id: UUID) -> Agent:
        agent = lock_agent(agent_id)
        agent.heartbeat = AgentHeartbeat.objects.get(agent=agent)
        self.require_match(AgentSerializer(agent))
        return agent
