"""Refusals: what went wrong, as a stable code and a sentence. No HTTP here; core/api/errors.py gives the status.

The eight kinds decide the status, a subclass gives the code. docs/reference/error-codes.md lists every code.
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal that the caller can act on. Keywords become the `details` of the answer."""

    code: ClassVar[str]
    message: ClassVar[str]
    # Names of details that clients of the first release also look for beside `error`.
    top_level_details: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.text = message or self.message
        self.details = details
        super().__init__(self.text)


class Invalid(DomainError):
    """The request is well-formed, but its content breaks a rule."""


class Unauthenticated(DomainError):
    """The caller is not known."""


class Forbidden(DomainError):
    """The caller is known, but may not do this."""


class NotFound(DomainError):
    """The request names something that does not exist or was deleted."""


class Conflict(DomainError):
    """The current state does not allow it."""


class Unprocessable(DomainError):
    """The shape of the request is wrong, or it refers to something that does not exist."""


class Locked(DomainError):
    """Somebody has decided that nothing may change for a while."""


class Unavailable(DomainError):
    """It cannot be done now, but may work later."""


class Unauthorized(Unauthenticated):
    code = "unauthorized"
    message = "A valid key is required: send `Authorization: Bearer <pak>`."


class PermissionRefused(Forbidden):
    code = "forbidden"
    message = "This key may not do that."


class BadRequest(Invalid):
    code = "bad_request"
    message = "The request cannot be understood."


class InvalidPath(Invalid):
    code = "invalid_path"
    message = "An id in the path is not a UUID."


class InvalidQuery(Invalid):
    code = "invalid_query"
    message = "A query parameter has a value that cannot be used."


class DryRunRefused(Invalid):
    code = "dry_run_refused"
    message = "No write takes `dry_run`; ask `POST /plans` what it would do."


class InvalidJson(Invalid):
    code = "invalid_json"
    message = "The body is not valid JSON."


class NulCharacter(Invalid):
    code = "nul_character"
    message = "Text may not contain the NUL character."


class InvalidHeader(Invalid):
    code = "invalid_header"
    message = "A request header has a value that cannot be used."


class InvalidEncoding(Invalid):
    code = "invalid_encoding"
    message = "The body does not decompress as its Content-Encoding says."


class IncompleteBody(Invalid):
    code = "incomplete_body"
    message = "The connection ended before the whole body had arrived."


class InvalidRequestBody(Unprocessable):
    code = "invalid_request_body"
    message = "The body does not have the required shape."


class InvalidLabel(Invalid):
    code = "invalid_label"
    message = "A label must have 1 to 64 characters and no white space."


class InvalidAnnotation(Invalid):
    code = "invalid_annotation"
    message = "An annotation's key and value must each have 1 to 64 characters and no white space."


class UniqueViolation(Conflict):
    code = "unique_violation"
    message = "Something with these values exists already."


class ForeignKeyViolation(Unprocessable):
    code = "foreign_key_violation"
    message = "The request refers to something that does not exist."


class RouteNotFound(NotFound):
    code = "not_found"
    message = "No such path."


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    message = "This path does not take that method."


class PreconditionFailed(DomainError):
    code = "precondition_failed"
    message = "It has changed since you read it; read it again and repeat the change."


class PayloadTooLarge(DomainError):
    code = "payload_too_large"
    message = "The body is larger than allowed."


class UnsupportedMediaType(DomainError):
    code = "unsupported_media_type"
    message = "Send the body as application/json."


class IdempotencyKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different request."


class RateLimited(DomainError):
    code = "rate_limited"
    message = "This key has made too many requests; wait as long as Retry-After says."


class InternalError(DomainError):
    code = "internal_error"
    message = "The broker failed to answer. The request id finds the reason in its log."


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    message = "The database cannot be reached; try again shortly."


class StorageFull(Unavailable):
    code = "storage_full"
    message = "The database has no room left to store anything; an operator has to make some."


class Busy(Unavailable):
    code = "busy"
    message = "Others are changing the same thing, or hold their share of the broker; try again in a moment."


class Overloaded(Unavailable):
    code = "overloaded"
    message = "More requests wait than can be answered soon; try again as Retry-After says."
