"""What is known of every request once it is answered: one log line and two metrics."""

import logging
import re

from uuid_utils.compat import uuid7

from core.logs import REQUEST_LOGGER
from core.metrics import DURATIONS, REQUESTS

logger = logging.getLogger(REQUEST_LOGGER)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def request_id_of(sent: str) -> str:
    """The id that a client sent in X-Request-Id, or a new one when that cannot be used."""
    return sent if _REQUEST_ID.fullmatch(sent) else uuid7().hex


def note_request(
    *, request_id: str, caller: str, method: str, endpoint: str, status: int, seconds: float
) -> None:
    """Log and count an answered request.

    Never logs a header, a body or a query: keys and secrets travel there.
    """
    method = method if method in _METHODS else "OTHER"
    if endpoint != "/metrics":
        REQUESTS.labels(endpoint, method, str(status)).inc()
        DURATIONS.labels(endpoint, method).observe(seconds)
    if not logger.isEnabledFor(logging.INFO):
        return
    # Not logger.info, which walks the frames to find the line of code.
    record = logger.makeRecord(
        logger.name,
        logging.INFO,
        __file__,
        0,
        "request",
        (),
        None,
        extra={
            "request_id": request_id,
            "caller": caller,
            "method": method,
            "route": endpoint,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
        },
    )
    logger.handle(record)
