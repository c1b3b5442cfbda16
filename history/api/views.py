from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.history_headers import KNOWN_SINCE, SETTINGS, history_headers
from agents.errors import AgentNotFound
from agents.models import Agent
from agents.wanted.past import require_known
from core import clock
from core.api.pagination import link_to_next
from core.api.renderers import time_text
from core.errors import InvalidQuery
from history.api.serializers import (
    ComparisonQuery,
    ComparisonSerializer,
    TimelineEntrySerializer,
    TimelineQuery,
)
from history.comparison import Side, compare
from history.entries import Key
from history.timeline import Page, timeline_of_agent, timeline_of_stack
from history.windows import causes_known_since, span
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from stacks.errors import StackNotFound
from stacks.models import Stack

_CAUSES_KNOWN_SINCE = "X-Brokkr-Causes-Known-Since"


class HistoryViewSet(KeyedViewSet):
    queryset = Agent.objects.all()
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="get_agent_timeline",
        tags=["history"],
        summary="List what happened to an agent",
        parameters=[TimelineQuery],
        responses=TimelineEntrySerializer(many=True),
    )
    def of_agent(self, request: Request, *, agent_id: UUID) -> Response:
        """What it should have had, what it was offered, what it reported and when it was silent, oldest first; the last
        day unless `from` says otherwise. A page may be short and have a next one. Also of a deleted agent. Headers say
        since when states (`X-Brokkr-Known-Since`) and causes (`X-Brokkr-Causes-Known-Since`) are known. Admin only.
        """
        _require_agent(agent_id)
        return self._answer(timeline_of_agent, agent_id)

    @extend_schema(
        operation_id="get_stack_timeline",
        tags=["history"],
        summary="List what happened to a stack",
        parameters=[TimelineQuery],
        responses=TimelineEntrySerializer(many=True),
    )
    def of_stack(self, request: Request, *, stack_id: UUID) -> Response:
        """The same for a stack and all its agents; what happened to several agents at once is one entry. Admin only."""
        if not Stack.objects.filter(pk=stack_id).exists():
            raise StackNotFound(id=stack_id)
        return self._answer(timeline_of_stack, stack_id)

    @extend_schema(
        operation_id="compare_agent",
        tags=["history"],
        summary="Compare what two agents, or two moments, should have had",
        parameters=[ComparisonQuery, KNOWN_SINCE, SETTINGS],
        responses=ComparisonSerializer,
    )
    def comparison(self, request: Request, *, agent_id: UUID) -> Response:
        """The left side is the agent in the path, the right side the other agent or moment. Admin only."""
        query = self.read_query(ComparisonQuery)
        now = clock.now()
        left = Side(agent_id, query.get("at", now))
        right = Side(query.get("other_agent_id", agent_id), query.get("other_at", now))
        for side in (left, right):
            _require_agent(side.agent_id)
            require_known(side.at, now=now)
        answer = ComparisonSerializer(compare(left, right)).data
        return Response(answer, headers=history_headers(now))

    def _answer(self, timeline: Callable[..., Page], row_id: UUID) -> Response:
        query = self.read_query(TimelineQuery)
        now = clock.now()
        asked = span(query.get("from"), query.get("to"), now=now)
        after = _after(query["cursor"]) if "cursor" in query else None
        page = timeline(row_id, asked, after=after, limit=query["limit"])
        headers = history_headers(now) | _causes_header(now)
        if page.next_after is not None:
            cursor = page.next_after.to_text()
            headers["Link"] = link_to_next(self.request._request, cursor, query["limit"])
        return Response(TimelineEntrySerializer(page.entries, many=True).data, headers=headers)


def _require_agent(agent_id: UUID) -> None:
    """Raises AgentNotFound. The past of deleted agents is known too."""
    if not Agent.objects.filter(pk=agent_id).exists():
        raise AgentNotFound(id=agent_id)


def _causes_header(now: datetime) -> dict[str, str]:
    since = causes_known_since(now)
    return {_CAUSES_KNOWN_SINCE: time_text(since)} if since else {}


def _after(cursor: str) -> Key:
    key = Key.from_text(cursor)
    if key is None:
        raise InvalidQuery(parameter="cursor")
    return key
