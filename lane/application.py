"""The lane as a WSGI application in front of Django's."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import close_old_connections

from config.watcher import watcher
from core.api.errors import as_domain_error
from core.observation import note_request
from core.rates import is_limited
from lane.calls import CALLS, PREFIX, Call
from lane.ordinary import Environ, Ordinary, ordinary
from lane.passing import passes_by
from lane.replies import Reply, refusal

StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Lane:
    """Answers the requests that it can answer, and passes the others to the next application."""

    def __init__(self, behind: Application) -> None:
        self._behind = behind

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        answered = None if passes_by() else answer(environ)
        if answered is None:
            return self._behind(environ, start_response)
        reply, request_id = answered
        start_response(reply.line, reply.headers(request_id))
        return (reply.body,) if reply.body else ()


def answer(environ: Environ) -> tuple[Reply, str] | None:
    """The reply and the request's id, or None if the views should answer. A reply is logged and counted."""
    path: str = environ["PATH_INFO"]
    if not path.startswith(PREFIX):
        return None
    collection, _, rest = path[len(PREFIX) :].partition("/")
    resource_id, _, action = rest.partition("/")
    call = CALLS.get((environ["REQUEST_METHOD"], f"{collection}/:id/{action}"))
    request = ordinary(environ, resource_id) if call else None
    if call is None or request is None:
        return None
    started = time.perf_counter()
    watcher.look()
    if is_limited():
        return None
    reply = _reply(call, request)
    if reply is None:
        return None
    note_request(
        request_id=request.request_id,
        caller=request.caller,
        method=call.method,
        endpoint=call.endpoint,
        status=reply.status,
        seconds=time.perf_counter() - started,
        traceparent=environ.get("HTTP_TRACEPARENT", ""),
    )
    return reply, request.request_id


def _reply(call: Call, request: Ordinary) -> Reply | None:
    try:
        return call.read(request)
    except Exception as exc:  # noqa: BLE001  # as in DRF, every exception becomes an answer in the one shape
        # Django does it after each request of its own: a session that is broken, or only reads, goes.
        close_old_connections()
        return refusal(as_domain_error(exc, request.request_id))
