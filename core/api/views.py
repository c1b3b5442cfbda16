"""The base of every API view: one order of checks, one way to read a request and to answer it.

Checks run in this order, as clients of the original expect: key, the key's rate, method, ids in the path, role, then
in the handler the query, the body's shape, existence and ownership, and last the rules.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from core.api.body import BoundedRequest
from core.api.errors import CACHE_CONTROL
from core.api.etag import require_match, tagged_response
from core.api.fields import parse_uuid
from core.api.pagination import paginate_rows, paginate_values
from core.api.renderers import JsonRenderer, rows_to_json, to_json
from core.api.rows import RowSerializer, columns_of, represent
from core.api.validation import validated, values_of_nothing
from core.errors import (
    InvalidHeader,
    InvalidPath,
    InvalidQuery,
    InvalidRequestBody,
    MethodNotAllowed,
    NulCharacter,
    Unauthorized,
)

# The digest of a plan.
_DIGEST = re.compile("[0-9a-f]{64}")
_Row = TypeVar("_Row", bound=Model)


class ResourceViewSet(GenericViewSet[Any]):
    """Reads requests strictly and answers in one form. Actions are named in the app's urls.py."""

    # Bytes of body after decompression; a property, because tests change the setting.
    @property
    def body_limit(self) -> int:
        return int(settings.MAX_JSON_BYTES)

    # Body-less actions of a view, by name, for which an empty body needs no content type.
    optional_body: ClassVar[frozenset[str]] = frozenset()

    # Whether plans can be asked of its planned actions. They are inherited also by views of what nobody waits for.
    has_plans: ClassVar[bool] = True

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # As DRF does it, but with our request.
        bounded = BoundedRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=cast(Any, self.get_authenticators()),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )
        self.action = self.action_map.get((request.method or "").lower(), "")
        bounded.body_limit = self.body_limit
        return bounded

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = None, None
        self.perform_authentication(request)
        if request.auth is None:
            raise Unauthorized
        self.check_throttles(request)
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(allow=", ".join(self.allowed_methods))
        self._read_path()
        if request.META.get("QUERY_STRING") and _holds_nul(request.query_params):
            raise NulCharacter
        self.check_permissions(request)
        # Not request.headers, which reads all of META to find one header.
        if "HTTP_IF_PLAN" in request.META:
            if not self.is_planned:
                raise InvalidHeader("If-Plan is only for writes of which there are plans.", header="If-Plan")
            if not _DIGEST.fullmatch(request.META["HTTP_IF_PLAN"]):
                # Also where an earlier answer would be repeated.
                raise InvalidHeader("If-Plan must be the digest of a plan, 64 hex digits.", header="If-Plan")

    @property
    def is_planned(self) -> bool:
        """Whether a plan of this request can be asked for."""
        return self.has_plans and getattr(getattr(self, self.action or "", None), "is_planned", False)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", CACHE_CONTROL)
        return response

    # DRF would say in each answer which methods there are; only a refusal needs that.
    default_response_headers: ClassVar[dict[str, str]] = {}

    @property
    def allowed_methods(self) -> list[str]:
        # Without OPTIONS, which only a cross-origin preflight needs.
        return [method.upper() for method in self.action_map or {} if method != "options"]

    def _read_path(self) -> None:
        for name, value in self.kwargs.items():
            if "\0" in value:
                raise NulCharacter
            if name.endswith("_id"):
                parsed = parse_uuid(value)
                if parsed is None:
                    raise InvalidPath(f"{value!r} in the path is not a UUID.", name=name)
                self.kwargs[name] = parsed

    def read_query(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The query parameters. Raises InvalidQuery naming the wrong ones; unknown ones are not looked at."""
        given = self.request.query_params
        try:
            return (
                validated(serializer_class, given.dict())
                if given
                else dict(values_of_nothing(serializer_class))
            )
        except ValidationError as error:
            raise InvalidQuery(_sentence("query parameter", error.detail), fields=error.detail) from error

    def read_json(self) -> Any:
        """The body as any JSON value, {} when an action's body is optional and there is none."""
        if self.action in self.optional_body and not self.request.stream.getbuffer().nbytes:
            return {}
        return self.request.data

    def read_body(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The body's fields. Raises InvalidRequestBody naming the wrong ones; unknown ones are not looked at."""
        return self.read_fields(serializer_class, self.read_json())

    def read_fields(self, serializer_class: type[Serializer[Any]], value: object) -> dict[str, Any]:
        """Like `read_body`, for a value that was read before."""
        if not isinstance(value, dict):
            raise InvalidRequestBody("The body must be a JSON object.")
        try:
            return validated(serializer_class, value)
        except ValidationError as error:
            raise InvalidRequestBody(_sentence("field", error.detail), fields=error.detail) from error

    def answer(self, serializer: BaseSerializer[Any]) -> HttpResponse:
        """One resource, with its ETag; 304 when the client has it."""
        return tagged_response(self.request._request, to_json(serializer.data))

    def answer_row(self, serializer_class: type[RowSerializer[_Row]], row: _Row) -> HttpResponse:
        """The same for a row of which the serializer only writes columns."""
        return tagged_response(self.request._request, to_json(represent(serializer_class, row)))

    def require_match(self, serializer: BaseSerializer[Any]) -> None:
        """Refuse a change whose If-Match names an older state. The row must be locked."""
        require_match(self.request._request, to_json(serializer.data))

    def answer_list(
        self,
        rows: QuerySet[_Row],
        serializer_class: type[BaseSerializer[_Row]],
        *,
        order: Sequence[str],
        query: dict[str, Any],
    ) -> HttpResponse:
        """A bare array, complete or one page of it."""
        request = self.request._request
        columns = columns_of(cast(Any, serializer_class))
        if columns is None:
            page, headers = paginate_rows(rows, order=order, query=query, request=request)
            return Response(serializer_class(cast(Any, page), many=True).data, headers=headers)
        values, headers = paginate_values(rows, columns.lookups, order=order, query=query, request=request)
        body = rows_to_json(values, names=columns.names, times=columns.times)
        return HttpResponse(body, content_type=JsonRenderer.media_type, headers=headers)


def _holds_nul(parameters: QueryDict) -> bool:
    return any("\0" in value for _, values in parameters.lists() for value in values)


def _sentence(what: str, errors: Any) -> str:
    names = ", ".join(sorted(errors))
    path, reason = _first(errors)
    # Of nested errors the first is named in full: `events[3].status`.
    where = f"{path}: " if path not in errors else ""
    return f"Wrong {what}: {names} ({where}{reason.rstrip('.')})."


def _first(errors: Any, path: str = "") -> tuple[str, str]:
    """Where the first of a serializer's errors is, and what it says."""
    if not isinstance(errors, Mapping):
        reason = errors[0] if isinstance(errors, list) and errors else errors
        return path, str(reason)
    name, inner = next(iter(errors.items()))
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return _first(inner, path)
    step = f"[{name}]" if isinstance(name, int) else f".{name}" if path else str(name)
    return _first(inner, path + step)
