from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.errors import AgentNotFound
from agents.models import Agent
from core.api.pagination import ListQuery, paginate_rows
from inventory.api.permissions import MaySeeInventory
from inventory.api.serializers import (
    AgentConflictSerializer,
    FoundResourcesSerializer,
    ObjectConflictSerializer,
    ResourceQuery,
    UnreadVersionSerializer,
    conflict_to_json,
)
from inventory.conflicts import conflicts_of_agent, conflicts_of_stack
from inventory.holders import Holders, holders_of
from inventory.models import Entry, UnreadVersion
from inventory.search import Search, found, is_complete
from inventory.told_conflicts import told_conflicts
from paks.api.permissions import AnyCaller, IsAdmin
from paks.api.views import KeyedViewSet
from stacks.access import find_stack, reached_stacks, require_owner
from stacks.models import Stack

# Of so many rows at a time, agents are told.
_MAX_WITH_AGENTS = 100


class ResourcesViewSet(KeyedViewSet):
    queryset = Entry.objects.all()
    permission_classes = [MaySeeInventory]

    @extend_schema(
        operation_id="list_resources",
        tags=["inventory"],
        summary="Find resources and images in the versions of stacks",
        parameters=[ResourceQuery],
        responses=forced_singular_serializer(FoundResourcesSerializer),  # type: ignore[no-untyped-call]
    )
    def list(self, request: Request) -> Response:
        """One page at a time, 100 rows by default. An admin finds all stacks, a generator its own."""
        query = self.read_query(ResourceQuery)
        named = {name: query.get(name, "") for name in ("kind", "namespace", "name", "image")}
        rows = found(Search(**named, is_history=query["versions"] == "all"))
        if not self.caller.is_admin:
            rows = rows.in_stacks(self._live_stacks())
        query.setdefault("limit", _MAX_WITH_AGENTS)
        if query["agents"]:
            query["limit"] = min(query["limit"], _MAX_WITH_AGENTS)
        page, headers = paginate_rows(
            rows.select_related("resource", "image", "version", "stack").defer("version__yaml_content"),
            order=("-version_id", "-id"),
            query=query,
            request=request._request,
        )
        holders = holders_of({(row.stack_id, row.version_id) for row in page}) if query["agents"] else None
        answer = {
            "complete": is_complete(),
            "unread_versions": self._unread().count(),
            "resources": [_found(row, holders) for row in page],
        }
        return Response(FoundResourcesSerializer(answer).data, headers=headers)

    @extend_schema(
        operation_id="list_unread_versions",
        tags=["inventory"],
        summary="List the versions of which the inventory has nothing",
        parameters=[ListQuery],
        responses=UnreadVersionSerializer(many=True),
    )
    def unread(self, request: Request) -> HttpResponse:
        """Newest first. An admin sees all, a generator those of its live stacks."""
        query = self.read_query(ListQuery)
        return self.answer_list(self._unread(), UnreadVersionSerializer, order=("-version_id",), query=query)

    def _unread(self) -> Any:
        rows = UnreadVersion.objects.all()
        return rows if self.caller.is_admin else rows.filter(version__stack__in=self._live_stacks())

    def _live_stacks(self) -> QuerySet[Stack]:
        return reached_stacks(self.caller).active()


class ConflictsViewSet(KeyedViewSet):
    queryset = Stack.objects.active()
    permission_classes = [AnyCaller]

    @extend_schema(
        operation_id="list_stack_conflicts",
        tags=["inventory"],
        summary="List what agents should have from this stack and from others",
        responses=ObjectConflictSerializer(many=True),
    )
    def list(self, request: Request, *, stack_id: UUID) -> Response:
        """Admin, or the generator that owns the stack."""
        stack = find_stack(stack_id)
        require_owner(self.caller, stack)
        told = told_conflicts(conflicts_of_stack(stack), stack.pk, reader=self.caller)
        return Response(ObjectConflictSerializer([conflict_to_json(each) for each in told], many=True).data)


class AgentConflictsViewSet(KeyedViewSet):
    queryset = Agent.objects.active()
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="list_agent_conflicts",
        tags=["inventory"],
        summary="List what an agent should have from several stacks",
        responses=AgentConflictSerializer(many=True),
    )
    def list(self, request: Request, *, agent_id: UUID) -> Response:
        """All of them, those that are written alike last. Admin only."""
        if not self.get_queryset().filter(pk=agent_id).exists():
            raise AgentNotFound(id=agent_id)
        return Response(AgentConflictSerializer(conflicts_of_agent(agent_id), many=True).data)


def _found(row: Entry, holders: dict[int, Holders] | None) -> dict[str, object]:
    resource = row.resource
    group = f"{resource.api_group}/" if resource.api_group else ""
    return {
        "group": resource.api_group,
        "api_version": f"{group}{resource.api_version}",
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
        "image": str(row.image) if row.image is not None else None,
        "image_guessed": row.is_guessed,
        "stack_id": row.stack_id,
        "stack_name": row.stack.name,
        "stack_deleted": row.stack.deleted_at is not None,
        "deployment_object_id": row.version.id,
        "sequence_id": row.version_id,
        "agents": holders.get(row.version_id, Holders()) if holders is not None else None,
    }
