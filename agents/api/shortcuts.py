"""Shortcuts for the calls that agents make all day, here their poll and their heartbeat.

Each answers the ordinary case, an agent's own good key and a plain request, in one statement and without DRF's inner
loop. Anything else it leaves to the view behind it, which answers every case, this one included, in the same way: take
`with_shortcut` out of urls.py and only the cost changes.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents.api.state import respond
from agents.heartbeat import beat
from agents.inbox import Answer
from agents.target_state import poll
from core.api.errors import CACHE_CONTROL, as_domain_error, error_response
from core.api.fields import parse_uuid
from core.rates import is_limited
from paks.api.authentication import presented_key
from paks.services import mark_used
from paks.tokens import Token, split_token

Shortcut = Callable[[HttpRequest, str], HttpResponse | None]


class Ask(Protocol):
    """Asks whether anything waits for an agent, as `agents.inbox.ask` does."""

    def __call__(self, *, agent_id: UUID, key_hash: str) -> Answer | None: ...


_NO_QUERY = re.compile("")
_MODES = {"": None, "mode=full": "full", "mode=incremental": "incremental"}
_SMALL_BODY = 4096
_LOOK_CLOSER = {"HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING"}


def with_shortcut(shortcut: Shortcut, view: Callable[..., Any]) -> Callable[..., Any]:
    """`view`, with `shortcut` tried first. Keeps the view's marks, by which the schema and the route table find it."""

    @wraps(view)
    def dispatch(request: HttpRequest, agent_id: str) -> Any:
        if is_limited():
            return view(request, agent_id=agent_id)
        try:
            answer = shortcut(request, agent_id)
        except Exception as exc:  # noqa: BLE001  # as in DRF, every exception becomes an answer in the one shape
            return error_response(as_domain_error(exc, request))
        return view(request, agent_id=agent_id) if answer is None else answer

    return dispatch


def target_state_shortcut(request: HttpRequest, agent_id: str) -> HttpResponse | None:
    """GET /agents/{id}/target-state by the agent itself."""
    token, parsed = _token_of(request), parse_uuid(agent_id)
    query = request.META.get("QUERY_STRING", "")
    if request.method != "GET" or token is None or parsed is None or query not in _MODES:
        return None
    found = poll(
        agent_id=parsed,
        key_hash=token.hash,
        mode=_MODES[query] or settings.TARGET_STATE_DEFAULT,
        # Who has an answer already gets it mostly again, without a body.
        with_new="HTTP_IF_NONE_MATCH" not in request.META,
    )
    if found is None or found.short_token not in {"", token.short}:
        return None
    _note_caller(request, parsed, found)
    return respond(request, found.object_ids, agent_id=parsed, new_ids=found.new_ids)


def heartbeat_shortcut(request: HttpRequest, agent_id: str) -> HttpResponse | None:
    """POST /agents/{id}/heartbeat by the agent itself."""
    token, parsed = _token_of(request), parse_uuid(agent_id)
    if connection.vendor != "postgresql" or request.method != "POST" or token is None or parsed is None:
        return None
    body = _heartbeat_body(request)
    if body is None:
        return None
    reachable, latency = body
    found = beat(
        agent_id=parsed,
        key_hash=token.hash,
        short_token=token.short,
        now=timezone.now(),
        k8s_reachable=reachable,
        k8s_api_latency_ms=latency,
    )
    if found is None:
        return None
    _note_caller(request, parsed, found)
    return HttpResponse(status=204, headers={"Cache-Control": CACHE_CONTROL})


class _Found(Protocol):
    """The key's row, as the one statement of a shortcut brings it."""

    @property
    def key_id(self) -> UUID: ...
    @property
    def last_used_at(self) -> datetime | None: ...


def nothing_waits(ask: Ask, *, query: re.Pattern[str] = _NO_QUERY) -> Shortcut:
    """GET /agents/{id}/…/pending by the agent itself, when there is nothing. `query` is what may be asked for then."""

    def pending_shortcut(request: HttpRequest, agent_id: str) -> HttpResponse | None:
        token, parsed = _token_of(request), parse_uuid(agent_id)
        asked = request.META.get("QUERY_STRING", "")
        if request.method != "GET" or token is None or parsed is None or not query.fullmatch(asked):
            return None
        found = ask(agent_id=parsed, key_hash=token.hash)
        if found is None or found.found or found.short_token not in {"", token.short}:
            return None
        _note_caller(request, parsed, found)
        return HttpResponse(b"[]", content_type="application/json", headers={"Cache-Control": CACHE_CONTROL})

    return pending_shortcut


def _note_caller(request: HttpRequest, agent_id: UUID, found: _Found) -> None:
    """What the ordinary way does for a good key: name the caller for the log, note that the key is in use."""
    request.META["brokkr.caller"] = f"agent:{agent_id}"
    mark_used(found.key_id, found.last_used_at)


def _token_of(request: HttpRequest) -> Token | None:
    """The key in the request, if it looks like one; unverified."""
    key = presented_key(request.META.get("HTTP_AUTHORIZATION", ""))
    return split_token(key) if key else None


def _heartbeat_body(  # noqa: PLR0911  # one early way out per thing that needs a closer look
    request: HttpRequest,
) -> tuple[bool | None, int | None] | None:
    """What the body says, None for a request that needs a closer look."""
    meta = request.META
    length = meta.get("CONTENT_LENGTH") or "0"
    if not _LOOK_CLOSER.isdisjoint(meta) or meta.get("QUERY_STRING") or not length.isdecimal():
        return None
    if length == "0":
        return None, None
    if int(length) > _SMALL_BODY or meta.get("CONTENT_TYPE") != "application/json":
        return None
    raw = request.body
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if (
        len(raw) != int(length)
        or not isinstance(body, dict)
        or not body.keys() <= {"k8s_reachable", "k8s_api_latency_ms"}
    ):
        return None
    reachable, latency = body.get("k8s_reachable"), body.get("k8s_api_latency_ms")
    if (reachable is None or isinstance(reachable, bool)) and (latency is None or _is_int32(latency)):
        return reachable, latency
    return None


def _is_int32(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
