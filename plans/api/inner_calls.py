"""Calls one of our own endpoints from inside, as the caller of the present request."""

import io
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import orjson
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import Resolver404, resolve
from rest_framework.request import Request

from core.api.parsers import YamlParser
from core.errors import InvalidRequestBody
from core.request_context import RequestContext, attach_context, context_of
from plans.api.guard import PREFIX
from plans.errors import NotPlannable

# What belongs to the present request alone.
_LEFT_OUT = (
    "HTTP_CONTENT_ENCODING",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_IF_MATCH",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_PLAN",
    "HTTP_TRANSFER_ENCODING",
)


# What may stand in a query, with what is percent-encoded already.
_IN_QUERIES = "%!$&'()*+,-./:;=?@_~"


def call(request: Request, *, method: str, path: str, body: object) -> HttpResponse:
    """The answer of the planned write at `path`, which is below /api/v1 and may have a query.

    A body that is a text is sent as YAML where the endpoint takes that; None stands for no body. Raises NotPlannable.
    """
    where, _, query = path.partition("?")
    where = PREFIX + where.removeprefix(PREFIX)
    environ: dict[str, Any] = {
        name: value for name, value in request._request.META.items() if name not in _LEFT_OUT
    }
    environ |= {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(where).decode("latin-1"),
        # As a client would send it: in ASCII.
        "QUERY_STRING": quote(query, safe=_IN_QUERIES),
    }
    try:
        view = resolve(unquote_to_bytes(where).decode("utf-8", "replace"))
    except Resolver404 as error:
        raise NotPlannable(method=method, path=path) from error
    view_class = getattr(view.func, "cls", None)
    action = getattr(view.func, "actions", {}).get(method.lower(), "")
    if view_class is None or not getattr(getattr(view_class, action, None), "is_planned", False):
        raise NotPlannable(method=method, path=path)
    if not view_class.has_plans:
        raise NotPlannable(method=method, path=path)
    is_yaml = isinstance(body, str) and YamlParser in view_class.parser_classes
    sent = body.encode() if is_yaml and isinstance(body, str) else _json(body)
    environ |= {
        "wsgi.input": io.BytesIO(sent),
        "CONTENT_LENGTH": str(len(sent)),
        "CONTENT_TYPE": ("application/yaml" if is_yaml else "application/json") if sent else "",
    }
    inner: Any = WSGIRequest(environ)
    attach_context(inner, RequestContext(context_of(request._request).request_id))
    # The caller is known already; looking the key up again would note another use of it.
    inner._force_auth_user, inner._force_auth_token = None, request.auth
    answer: HttpResponse = view.func(inner, *view.args, **view.kwargs)
    return answer


def _json(body: object) -> bytes:
    try:
        return b"" if body is None else orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise InvalidRequestBody("The body of the write is nested too deep.") from error
