"""The quick search for a route finds what Django's own finds."""

import pytest
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RoutePattern

from brokkr_site.api_urls import urlpatterns
from core.api.routes import WordResolver

pytestmark = pytest.mark.no_database

OURS = WordResolver("api/v1/", urlpatterns)
DJANGOS = URLResolver(RoutePattern("api/v1/", is_endpoint=False), urlpatterns)
ROUTES = [str(route.pattern) for route in OURS.url_patterns[:-1]]
IDS = ["0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90", "x", "a/b", "é", ""]


def filled(route: str, value: str) -> str:
    """The path with the value in place of each parameter."""
    parts = route.split("<")
    return parts[0] + "".join(value + part.partition(">")[2] for part in parts[1:])


@pytest.mark.parametrize("end", ["", "/", "/more"])
def test_every_path_has_the_same_route(end):
    assert len(ROUTES) > 100
    for route in ROUTES:
        for value in IDS:
            path = f"api/v1/{filled(route, value)}{end}"
            ours, theirs = OURS.resolve(path), DJANGOS.resolve(path)
            assert ours.func is theirs.func, path
            assert (ours.kwargs, ours.route, ours.url_name) == (theirs.kwargs, theirs.route, theirs.url_name)


@pytest.mark.parametrize(
    "path", ["api/v1/", "api/v1/nothing", "api/v1/stack", "api/v1//stacks", "api/v1/stacks\n"]
)
def test_a_path_without_a_route_has_the_last_pattern(path):
    assert OURS.resolve(path).url_name == DJANGOS.resolve(path).url_name == "route-not-found"


def test_a_path_without_the_prefix_has_none():
    with pytest.raises(Resolver404):
        OURS.resolve("admin/")
