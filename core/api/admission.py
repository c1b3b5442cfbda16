"""Refusing a request whose row, caller or kind of call holds its share of the threads already."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from core import admission
from core.api.errors import refusal_response
from core.errors import Busy


class AdmissionMiddleware:
    """Names the request to `core.admission` as soon as its route is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, arguments: object, path: Mapping[str, Any]
    ) -> HttpResponse | None:
        try:
            admission.admit(_keys(request, path))
        except Busy as busy:
            return refusal_response(request, busy)
        return None


def _keys(request: HttpRequest, path: Mapping[str, Any]) -> Iterator[Hashable]:
    match = request.resolver_match
    yield request.method, match.route if match else ""
    caller = request.META.get("HTTP_AUTHORIZATION") or request.META.get("HTTP_COOKIE")
    if caller:
        yield "caller", caller
    for name, value in path.items():
        if name.endswith("_id"):
            yield "row", value
