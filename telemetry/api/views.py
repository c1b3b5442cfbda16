"""What only a WebSocket could bring: from a broker that takes none, nothing, in the form that clients expect."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from paks.api.permissions import AnyCaller, IsAdmin
from paks.api.views import KeyedViewSet
from stacks.access import find_stack, require_owner
from stacks.models import Stack
from telemetry.api.serializers import (
    ClusterEventsSerializer,
    ConnectionsSerializer,
    PodLogsSerializer,
    TelemetryQuery,
)

# What clients are promised at most; there is nothing of any age.
_CEILING_SECONDS = 6 * 3600
_SINK_HINT = (
    "The broker keeps no events and no logs of clusters. Collect them in the cluster and send them to a system made "
    "for that, Datadog, Loki or Elasticsearch for instance."
)


class TelemetryViewSet(KeyedViewSet):
    queryset = Stack.objects.none()

    def get_permissions(self) -> list[BasePermission]:
        return [IsAdmin() if self.action == "connections" else AnyCaller()]

    @extend_schema(
        operation_id="list_telemetry_events",
        tags=["telemetry"],
        summary="List the Kubernetes events of a stack",
        parameters=[TelemetryQuery],
        responses=ClusterEventsSerializer,
    )
    def events(self, request: Request, *, stack_id: UUID) -> Response:
        """Always none: agents would send them over a WebSocket, and this broker has none. Admin, or the generator that
        owns the stack.
        """
        return self._nothing("events", stack_id)

    @extend_schema(
        operation_id="list_telemetry_logs",
        tags=["telemetry"],
        summary="List the log lines of a stack",
        parameters=[TelemetryQuery],
        responses=PodLogsSerializer,
    )
    def logs(self, request: Request, *, stack_id: UUID) -> Response:
        """Always none: agents would send them over a WebSocket, and this broker has none. Admin, or the generator that
        owns the stack.
        """
        return self._nothing("lines", stack_id)

    @extend_schema(
        operation_id="list_ws_connections",
        tags=["telemetry"],
        summary="List the WebSocket connections",
        responses=ConnectionsSerializer,
    )
    def connections(self, request: Request, **_: Any) -> Response:
        """Always none: agents poll. Admin only."""
        return Response({"connected_agents": 0, "connections": [], "live_subscribers": 0})

    def _nothing(self, what: str, stack_id: UUID) -> Response:
        self.read_query(TelemetryQuery)
        require_owner(self.caller, find_stack(stack_id))
        retention = {
            "retention_ceiling_seconds": _CEILING_SECONDS,
            "effective_retention_seconds": _CEILING_SECONDS,
            "oldest_available_ts": None,
            "long_term_sink_hint": _SINK_HINT,
        }
        return Response({"retention": retention, what: []})
