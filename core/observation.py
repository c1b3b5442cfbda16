"""What is known of every request once it is answered: one log line, two metrics, and perhaps a span."""

import logging
import re
import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from uuid_utils.compat import uuid7

from core.logs import REQUEST_LOGGER
from core.metrics import DURATIONS, REQUESTS
from core.trace_context import TraceParent, parse_traceparent

logger = logging.getLogger(REQUEST_LOGGER)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class AnsweredRequest(NamedTuple):
    """One request. `endpoint` is the route with `:id` in place of ids; `parent` is the span of the client."""

    request_id: str
    caller: str
    method: str
    endpoint: str
    status: int
    seconds: float
    parent: TraceParent | None


# Called with every answered request. Empty, and so free, unless traces are exported.
listeners: list[Callable[[AnsweredRequest], None]] = []


def request_id_of(sent: str) -> str:
    """The id that a client sent in X-Request-Id, or a new one when that cannot be used."""
    return sent if _REQUEST_ID.fullmatch(sent) else uuid7().hex


class _Line(logging.LogRecord):
    """The log record of a request. It finds out nothing about the thread, the process and the line of code, which takes
    longer than writing it.
    """

    def __init__(self, fields: dict[str, object]) -> None:
        vars(self).update(_EVERY_LINE | fields, created=time.time())


_EVERY_LINE = vars(logging.LogRecord(REQUEST_LOGGER, logging.INFO, __file__, 0, "request", (), None))


def count_request(*, method: str, endpoint: str, status: int) -> None:
    """Count an answered request."""
    _counter(endpoint, _known(method), status)()


# Finding the child of a metric takes as long as counting with it. There are as many as there are routes and statuses.
@cache
def _counter(endpoint: str, method: str, status: int) -> Callable[[], None]:
    return REQUESTS.labels(endpoint, method, str(status)).inc


@cache
def _observer(endpoint: str, method: str) -> Callable[[float], None]:
    return DURATIONS.labels(endpoint, method).observe


def note_request(
    *, request_id: str, caller: str, method: str, endpoint: str, status: int, seconds: float, traceparent: str
) -> None:
    """Log and count an answered request. `traceparent` is the client's header, empty when it sent none.

    Of what clients write it logs only ids, never a whole header, a body or a query: keys and secrets travel there.
    """
    method = _known(method)
    parent = parse_traceparent(traceparent) if traceparent else None
    if endpoint != "/metrics":
        count_request(method=method, endpoint=endpoint, status=status)
        _observer(endpoint, method)(seconds)
    for listener in listeners:
        listener(AnsweredRequest(request_id, caller, method, endpoint, status, seconds, parent))
    if not logger.isEnabledFor(logging.INFO):
        return
    said = {
        "request_id": request_id,
        "caller": caller,
        "method": method,
        "route": endpoint,
        "status": status,
        "duration_ms": round(seconds * 1000, 2),
    }
    if parent is not None:
        said["trace_id"] = parent.trace_id
    logger.handle(_Line(said))


def _known(method: str) -> str:
    return method if method in _METHODS else "OTHER"
