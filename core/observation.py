"""What is known of every request once it is answered: one log line, two metrics, and perhaps a span."""

import logging
import re
from collections.abc import Callable
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


def count_request(*, method: str, endpoint: str, status: int) -> None:
    """Count an answered request."""
    REQUESTS.labels(endpoint, _known(method), str(status)).inc()


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
        DURATIONS.labels(endpoint, method).observe(seconds)
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
    # Not logger.info, which walks the frames to find the line of code.
    logger.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 0, "request", (), None, extra=said))


def _known(method: str) -> str:
    return method if method in _METHODS else "OTHER"
