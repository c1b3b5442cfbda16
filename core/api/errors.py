"""The one place where a refusal becomes an HTTP answer: status, body, headers."""

import logging
import sys
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions as drf
from rest_framework.response import Response

from core import errors
from core.api.renderers import to_json
from core.database_errors import unavailable
from core.middleware import is_api
from core.request_context import context_of

logger = logging.getLogger(__name__)

# The most specific class comes first, because the first match gives the status.
STATUS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.MethodNotAllowed, 405),
    (errors.PreconditionFailed, 412),
    (errors.PayloadTooLarge, 413),
    (errors.UnsupportedMediaType, 415),
    (errors.RateLimited, 429),
    (errors.InternalError, 500),
    (errors.Invalid, 400),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Unprocessable, 422),
    (errors.Locked, 423),
    (errors.Unavailable, 503),
)
RETRY_AFTER_SECONDS = 5
# A lock is held, or a thread, rarely for longer.
BUSY_RETRY_AFTER_SECONDS = 1
# Answers differ by key and change at any time; a client may keep one and ask whether it still holds.
CACHE_CONTROL = "private, no-cache"


def status_of(error: errors.DomainError) -> int:
    """The HTTP status of a refusal."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def error_body(error: errors.DomainError) -> dict[str, object]:
    """The body of an error: the union of the shapes that clients of all releases read."""
    body: dict[str, object] = {"error": error.text, "code": error.code, "message": error.text}
    if error.details:
        details = {name: _plain(value) for name, value in error.details.items()}
        body["details"] = details
        body |= {name: details[name] for name in error.top_level_details if name in details}
    return body


def error_headers(error: errors.DomainError) -> dict[str, str]:
    """Headers that HTTP demands beside some statuses."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="brokkr"'}
    if isinstance(error, errors.Busy):
        return {"Retry-After": str(BUSY_RETRY_AFTER_SECONDS)}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if isinstance(error, errors.RateLimited):
        return {"Retry-After": str(error.details["retry_after_seconds"])}
    if isinstance(error, errors.MethodNotAllowed):
        return {"Allow": str(error.details.get("allow", ""))}
    return {}


def as_domain_error(exc: BaseException, request_id: str) -> errors.DomainError:
    """The refusal for `exc`. An unexpected exception is logged, and the caller learns nothing about it."""
    if isinstance(exc, errors.DomainError):
        return exc
    if isinstance(exc, DatabaseError) and (refusal := unavailable(exc)) is not None:
        logger.warning("%s: %s", refusal.code, exc)
        return refusal
    if isinstance(exc, UnreadablePostError):
        return errors.IncompleteBody()
    if isinstance(exc, drf.APIException | Http404 | SuspiciousOperation | BadRequest):
        return _from_framework(exc)
    logger.error("unhandled exception, request %s", request_id, exc_info=exc)
    return errors.InternalError(request_id=request_id)


def _from_framework(exc: BaseException) -> errors.DomainError:
    match exc:
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return errors.Unauthorized()
        case drf.PermissionDenied():
            return errors.PermissionRefused()
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMediaType()
        case drf.ValidationError():
            return errors.InvalidRequestBody(fields=exc.detail)
        case drf.NotFound() | Http404():
            return errors.RouteNotFound()
        case _:
            return errors.BadRequest()


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook: every exception in a view ends here."""
    request_context = context_of(context["request"]._request)
    error = as_domain_error(exc, request_context.request_id)
    request_context.refusal = error
    return Response(error_body(error), status=status_of(error), headers=error_headers(error))


def error_response(error: errors.DomainError) -> HttpResponse:
    """The same answer outside DRF."""
    return HttpResponse(
        to_json(error_body(error)),
        status=status_of(error),
        content_type="application/json",
        headers={"Cache-Control": CACHE_CONTROL} | error_headers(error),
    )


@csrf_exempt
def route_not_found(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """The answer for every path under the API that is no route. It needs no key."""
    return error_response(errors.RouteNotFound(path=request.path))


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's hook for requests it refuses itself."""
    if is_api(request):
        return error_response(as_domain_error(exception, context_of(request).request_id))
    return defaults.bad_request(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """Django's hook for exceptions outside DRF, in middleware for instance."""
    exc = sys.exc_info()[1] or RuntimeError("no exception in flight")
    request_id = context_of(request).request_id
    error = as_domain_error(exc, request_id)
    if is_api(request):
        return error_response(error)
    # Pages without the request: what else they would be given may ask the database, which may be what failed.
    if isinstance(error, errors.Unavailable):
        return _unavailable(request, error)
    return HttpResponse(render_to_string("500.html", {"request_id": request_id}), status=500)


def _unavailable(request: HttpRequest, error: errors.Unavailable) -> HttpResponse:
    """A page for who asks for one, as browsers do when they open an address; else a sentence."""
    headers = error_headers(error) | {"Vary": "Accept"}
    if request.get_preferred_type(["text/plain", "text/html"]) == "text/html":
        page = render_to_string("503.html", {"sentence": error.text})
        return HttpResponse(page, status=503, headers=headers)
    return HttpResponse(error.text, status=503, content_type="text/plain", headers=headers)


def _plain(value: object) -> object:
    # Serializers name the wrong items of a list by number, but names in JSON are strings.
    match value:
        case UUID():
            return str(value)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
