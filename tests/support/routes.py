"""Every route under /api/v1, read from the URL configuration."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLResolver, get_resolver, resolve

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_BRACES = re.compile(r"\{\w+\}")
_CATCH_ALL = "route-not-found"
UNKNOWN_ID = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, order=True)
class Route:
    """`path` is relative to /api/v1; its parameters are in braces."""

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def api_routes() -> list[Route]:
    """All operations, except the HEAD that belongs to every GET."""
    (api,) = [
        entry
        for entry in get_resolver().url_patterns
        if isinstance(entry, URLResolver) and str(entry.pattern) == "api/v1/"
    ]
    return sorted(_walk(api, "/"))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, prefix + str(entry.pattern))
        elif entry.name != _CATCH_ALL:
            # Only view sets have `actions`. This fails for any other view, whose methods the tests would not see.
            actions: dict[str, Any] = entry.callback.actions  # type: ignore[attr-defined]
            path = _PARAMETER.sub(r"{\1}", prefix + str(entry.pattern))
            for method in actions.keys() - {"head"}:
                yield Route(path=path, method=method.upper())


def planned_routes() -> list[Route]:
    """The operations of which a plan can be asked."""
    return [route for route in api_routes() if _is_planned(route)]


def _is_planned(route: Route) -> bool:
    match = resolve("/api/v1" + _BRACES.sub(UNKNOWN_ID, route.path))
    view_class: Any = match.func.cls  # type: ignore[attr-defined]
    handler = getattr(view_class, match.func.actions[route.method.lower()])  # type: ignore[attr-defined]
    return bool(getattr(handler, "is_planned", False) and view_class.has_plans)
