"""The calls of the lane. Each takes an ordinary request; all but reports and publications run one statement."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from agents.api.state import state_body, state_etag
from agents.heartbeat import beat
from agents.inbox import Answer
from agents.services.offers import note_offers, note_state
from agents.target_state import poll
from core import clock
from core.api.etag import names_tag
from core.prepared import is_postgresql
from diagnostics.open_requests import look_for_diagnostics
from lane.ordinary import Ordinary, has_no_body, small_json
from lane.publications import publish
from lane.replies import NO_CONTENT, NOTHING, Reply
from lane.reports import report, report_batch
from paks.callers import mark_used
from paks.tokens import Token
from sync.api.answers import answer
from sync.api.serializers import MAX_CHECKSUM, MAX_HELD
from sync.look import Heartbeat, beat_and_look
from sync.snapshot import FORM, MAX_LENGTH
from webhooks.due_deliveries import look_for_deliveries
from workorders.claimable_work import look_for_work

# Returns None if the views should answer.
Reader = Callable[[Ordinary], Reply | None]


@dataclass(frozen=True, slots=True)
class Call:
    """One row of the table of calls: how to answer the call, and its name in logs and metrics.

    `route` is the path after the prefix, with `:id` in place of the id.
    """

    method: str
    route: str
    read: Reader

    @property
    def endpoint(self) -> str:
        """The whole route."""
        return PREFIX + self.route


class _Found(Protocol):
    """A result of the one statement, which contains the key's row."""

    @property
    def key_id(self) -> UUID: ...
    @property
    def last_used_at(self) -> datetime | None: ...


class _Look(Protocol):
    """Asks whether anything waits for an agent, in the same way as `agents.inbox.ask`."""

    def __call__(self, *, agent_id: UUID, token: Token) -> Answer | None: ...


PREFIX = "/api/v1/"
_MODES = {"": None, "mode=full": "full", "mode=incremental": "incremental"}
_NO_QUERY = re.compile("")
# The type does not matter: if no order waits, then no order of this type waits.
_OF_TYPE = re.compile(r"(work_type=[A-Za-z0-9_-]+)?")
_CLUSTER = {"k8s_reachable", "k8s_api_latency_ms"}
# What the lane reads of a sync, and what must be empty, because only the views write reports and renew claims.
_OF_SYNC = {*_CLUSTER, "tag", "held", "agent_version"}
_WRITTEN = {"reports", "health", "renewals", "waiting_removals"}
_WAITING = re.compile(rf"(wait_seconds=(?:[0-9]|[12][0-9]|30)&seen=(?=.{{1,{MAX_LENGTH}}}\Z){FORM})?")
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9._+-]{1,50}")


def _target_state(request: Ordinary) -> Reply | None:
    if not has_no_body(request.environ) or request.query not in _MODES:
        return None
    # An agent that sends a tag mostly has the present answer already and gets no body.
    may_have_tag = "HTTP_IF_NONE_MATCH" in request.environ
    found = poll(
        agent_id=request.resource_id,
        token=request.token,
        mode=_MODES[request.query] or settings.TARGET_STATE_DEFAULT,
        with_forgotten=not may_have_tag,
    )
    if found is None:
        return None
    _recognise(request, found)
    etag = state_etag(found.object_ids)
    if names_tag(request.environ.get("HTTP_IF_NONE_MATCH"), etag):
        return Reply(304, extra=(("ETag", etag),))
    body = state_body(found.object_ids)
    # The offer is written before the answer is sent.
    if may_have_tag:
        note_offers(agent_id=request.resource_id, object_ids=found.object_ids)
    else:
        note_state(
            agent_id=request.resource_id, tag=etag, forgotten=found.forgotten, object_ids=found.object_ids
        )
    return Reply(200, body, (("ETag", etag),))


def _heartbeat(request: Ordinary) -> Reply | None:
    if not is_postgresql() or request.query:
        return None
    body = {} if has_no_body(request.environ) else small_json(request.environ)
    if not isinstance(body, dict) or not body.keys() <= _CLUSTER or not _is_about_cluster(body):
        return None
    found = beat(
        agent_id=request.resource_id,
        token=request.token,
        now=clock.now(),
        k8s_reachable=body.get("k8s_reachable"),
        k8s_api_latency_ms=body.get("k8s_api_latency_ms"),
    )
    if found is None:
        return None
    _recognise(request, found)
    return NO_CONTENT


def _sync(request: Ordinary) -> Reply | None:
    if not is_postgresql() or not _WAITING.fullmatch(request.query):
        return None
    body = {} if has_no_body(request.environ) else small_json(request.environ)
    if not isinstance(body, dict) or not _is_plain_sync(body):
        return None
    heartbeat = Heartbeat(
        body.get("k8s_reachable"), body.get("k8s_api_latency_ms"), body.get("agent_version")
    )
    found = beat_and_look(
        agent_id=request.resource_id, token=request.token, now=clock.now(), heartbeat=heartbeat
    )
    if found is None:
        return None
    _recognise(request, found)
    content = answer(request.resource_id, found.look, tag=body.get("tag"), held=body.get("held", ()))
    return Reply(200, content)


def _is_plain_sync(body: dict[str, Any]) -> bool:
    """Whether the agent says nothing but its heartbeat and what it has."""
    texts = [text for name in ("tag", "agent_version") if (text := body.get(name)) is not None]
    held = body.get("held", [])
    return (
        body.keys() <= _OF_SYNC | _WRITTEN
        and all(body[name] == [] for name in _WRITTEN & body.keys())
        and _is_about_cluster(body)
        and all(isinstance(text, str) and _PLAIN_TEXT.fullmatch(text) for text in texts)
        and isinstance(held, list)
        and len(held) <= MAX_HELD
        and all(isinstance(each, str) and each.isascii() and each.isalnum() for each in held)
        and max(map(len, held), default=0) <= MAX_CHECKSUM
    )


def _is_about_cluster(body: dict[str, Any]) -> bool:
    reachable, latency = body.get("k8s_reachable"), body.get("k8s_api_latency_ms")
    return (reachable is None or isinstance(reachable, bool)) and (latency is None or _is_int32(latency))


def _nothing_waits(look: _Look, *, query: re.Pattern[str] = _NO_QUERY) -> Reader:
    """A call that answers only if nothing waits for the agent. `query` matches the allowed query strings."""

    def read(request: Ordinary) -> Reply | None:
        if not has_no_body(request.environ) or not query.fullmatch(request.query):
            return None
        found = look(agent_id=request.resource_id, token=request.token)
        if found is None or found.found:
            return None
        _recognise(request, found)
        return NOTHING

    return read


def _look_for_deliveries(*, agent_id: UUID, token: Token) -> Answer | None:
    return look_for_deliveries(agent_id=agent_id, token=token, now=clock.now())


def _recognise(request: Ordinary, found: _Found) -> None:
    """Do what the views do for a usable key: give the caller's name to the log, and note that the key is used."""
    request.caller = f"agent:{request.resource_id}"
    mark_used(found.key_id, found.last_used_at, request.address)


def _is_int32(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


CALLS = {
    (call.method, call.route): call
    for call in (
        Call("GET", "agents/:id/target-state", _target_state),
        Call("POST", "agents/:id/heartbeat", _heartbeat),
        Call("POST", "agents/:id/sync", _sync),
        Call("GET", "agents/:id/work-orders/pending", _nothing_waits(look_for_work, query=_OF_TYPE)),
        Call("GET", "agents/:id/diagnostics/pending", _nothing_waits(look_for_diagnostics)),
        Call("GET", "agents/:id/webhooks/pending", _nothing_waits(_look_for_deliveries)),
        Call("POST", "agents/:id/events", report),
        Call("POST", "agents/:id/events/batch", report_batch),
        Call("POST", "stacks/:id/deployment-objects", publish),
    )
}
