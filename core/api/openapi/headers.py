"""The headers of requests and answers."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter

from core import errors
from core.api.errors import RETRY_AFTER_SECONDS, error_headers

_Document = dict[str, Any]

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    cast(Any, {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"}),
    OpenApiParameter.HEADER,
    description="Repeat the request with the same key within 24 hours to get the first answer again.",
)
IF_PLAN = OpenApiParameter(
    "If-Plan",
    cast(Any, {"type": "string", "pattern": "^[0-9a-f]{64}$"}),
    OpenApiParameter.HEADER,
    description="The `digest` of a plan of this write; 412 `plan_stale` when it would now do something else.",
)
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the state you have; 304 when it is still the current one.",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the state you read, weak or strong; 412 when it is no longer the current one.",
}
# The components that `header` refers to.
HEADERS: dict[str, _Document] = {
    "ETag": {
        "description": "A strong tag of this state. Proxies that compress answers make it weak.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Link": {
        "description": 'The next page, as `<URL>; rel="next"`. Absent on the last page and on complete lists.',
        "schema": {"type": "string"},
    },
    "X-Total-Count": {
        "description": "The number of all matches, when `count=true` was asked for.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Idempotency-Replayed": {
        "description": "`true` when this is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string"},
        "example": error_headers(errors.Unauthorized())["WWW-Authenticate"],
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": RETRY_AFTER_SECONDS,
    },
    "X-Request-Id": {
        "description": "The id that finds this request in the broker's log; the client's own if it sent one.",
        "required": True,
        "schema": {"type": "string"},
    },
}


def header(name: str) -> _Document:
    """A reference to the header of this name, for the `headers` of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"}}
