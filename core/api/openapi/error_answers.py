"""The refusals: their body, the answers that operations share, and which operation may give which."""

from collections.abc import Mapping
from typing import Any

from core import errors
from core.api.errors import error_body, error_headers
from core.api.openapi.headers import header

_Document = dict[str, Any]

ERROR_SCHEMA = {
    "type": "object",
    "required": ["error", "code", "message"],
    "properties": {
        "error": {
            "type": "string",
            "description": "The sentence of `message`, for clients of the first release.",
        },
        "code": {
            "type": "string",
            "description": "Stable; see the list of error codes.",
            "pattern": "^[a-z0-9_]+$",
        },
        "message": {"type": "string", "description": "A sentence a person can act on."},
        "details": {"type": "object", "additionalProperties": True},
    },
}

# The answers that operations share: the component's name, what it means, one of its refusals as the example.
_ANSWERS: dict[int, tuple[str, str, errors.DomainError]] = {
    400: (
        "BadRequest",
        "The request breaks a rule; `code` says which.",
        errors.InvalidPath(),
    ),
    401: ("Unauthorized", "No valid key was sent.", errors.Unauthorized()),
    403: ("Forbidden", "The key may not do this; `code` says why.", errors.PermissionRefused()),
    404: (
        "NotFound",
        "What the path names does not exist.",
        errors.RouteNotFound(),
    ),
    409: (
        "Conflict",
        "It exists already, or its state does not allow this.",
        errors.UniqueViolation(),
    ),
    412: (
        "PreconditionFailed",
        "`If-Match` names an older state, or `If-Plan` a plan that holds no more.",
        errors.PreconditionFailed(),
    ),
    413: (
        "PayloadTooLarge",
        "The body is larger than allowed.",
        errors.PayloadTooLarge(limit_bytes=2 * 1024 * 1024),
    ),
    414: (
        "UriTooLong",
        "The path and query are longer than 4094 bytes.",
        errors.BadRequest("The request line is too long."),
    ),
    415: (
        "UnsupportedMediaType",
        "The body is not of a type or encoding that is read here.",
        errors.UnsupportedMediaType(),
    ),
    422: (
        "UnprocessableContent",
        "The body has the wrong shape, or refers to something that does not exist.",
        errors.InvalidRequestBody(
            "Wrong field: name (This field is required).", fields={"name": ["This field is required."]}
        ),
    ),
    429: (
        "RateLimited",
        "The key has made too many requests, where the broker is set up with a limit.",
        errors.RateLimited(retry_after_seconds=1),
    ),
    431: (
        "HeadersTooLong",
        "A header is longer than 8190 bytes, or there are more than 100.",
        errors.BadRequest("The request has too many headers, or one that is too long."),
    ),
    500: (
        "InternalError",
        "The broker failed; `details.request_id` finds the reason in its log.",
        errors.InternalError(request_id="0193f0c10000700080000000000000aa"),
    ),
    503: (
        "Unavailable",
        "The database cannot be reached, or it is `busy` or `overloaded`; repeat it after `Retry-After` seconds.",
        errors.DatabaseUnavailable(),
    ),
}
# What the HTTP server refuses has not become a request with an id.
_REFUSED_UNREAD = {414, 431}


def error_components(examples: Mapping[int, errors.DomainError]) -> _Document:
    """The shared answers under their names; `examples` replaces the example of a status."""
    return {
        name: error_answer(description, examples.get(status, example), has_id=status not in _REFUSED_UNREAD)
        for status, (name, description, example) in _ANSWERS.items()
    }


def add_error_answers(method: str, operation: _Document) -> None:
    """Refer to the shared answer of every status that the operation may refuse with."""
    for status in _statuses(method, operation):
        reference = {"$ref": f"#/components/responses/{_ANSWERS[status][0]}"}
        operation["responses"].setdefault(str(status), reference)
    operation["responses"] = dict(sorted(operation["responses"].items()))


def error_answer(description: str, example: errors.DomainError, *, has_id: bool = True) -> _Document:
    """An answer with this refusal as its example; `has_id`: whether it names the request's id."""
    headers = header("X-Request-Id") if has_id else {}
    for name in error_headers(example):
        headers |= header(name)
    return {
        "description": description,
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": error_body(example),
            }
        },
    }


def _statuses(method: str, operation: _Document) -> set[int]:
    statuses = {400, 401, 403, 414, 429, 431, 500, 503}
    parameters = operation.get("parameters", [])
    looks_something_up = any(parameter["in"] == "path" for parameter in parameters)
    if method == "post" and looks_something_up:
        # What happens to a thing may not fit its state, also when nothing is sent.
        statuses.add(409)
    if looks_something_up or operation["operationId"].startswith("search_"):
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {413, 415, 422}
        if method != "delete":
            statuses.add(409)
    headers = {parameter["name"] for parameter in parameters if parameter["in"] == "header"}
    if headers & {"If-Match", "If-Plan"}:
        statuses.add(412)
    if "If-Plan" in headers:
        # It may take more away than the budget allows. Its body is read, also that of a DELETE, because it may ask for
        # a dry run.
        statuses |= {409, 413, 415}
    if operation["operationId"] == "make_plan":
        # The refusals of all writes of which a plan may be asked.
        statuses |= {404, 412}
    return statuses
