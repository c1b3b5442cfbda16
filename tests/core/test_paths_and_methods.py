"""What the path and the method may be, on every route, and what is answered where there is no route."""

import re

import pytest
from django.test import Client

from tests.factories import make_agent, make_generator, make_stack, manifest
from tests.support.api import refused
from tests.support.routes import api_routes
from tests.support.world import World
from tests.support.wsgi import call

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("the form of a request")]

_PARAMETER = re.compile(r"\{(\w+)\}")
ROUTES = api_routes()
PATHS = sorted({route.path for route in ROUTES})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
WITH_IDS = [
    (route, name) for route in ROUTES for name in _PARAMETER.findall(route.path) if name.endswith("_id")
]
# No row has it: who may not get as far as looking one up needs none.
SOME_ID = "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"


def fill(path: str, **changed: str) -> str:
    return _PARAMETER.sub(lambda found: changed.get(found[1], SOME_ID), path)


def allowed(path: str) -> set[str]:
    methods = {route.method for route in ROUTES if route.path == path}
    return methods | {"HEAD"} if "GET" in methods else methods


# --- Ids in the path --------------------------------------------------------------------------------


def test_what_is_no_uuid_is_400_in_every_position(admin, subtests):
    for route, name in WITH_IDS:
        with subtests.test(f"{route} {name}"):
            path = fill(route.path, **{name: "not-a-uuid"})
            body = refused(admin.request(route.method, path), 400, "invalid_path")
            assert body["details"] == {"name": name}


def test_nobody_hears_that_an_id_is_bad_without_a_key(anonymous, subtests):
    for route, name in WITH_IDS:
        with subtests.test(f"{route} {name}"):
            path = fill(route.path, **{name: "not-a-uuid"})
            refused(anonymous.request(route.method, path), 401, "unauthorized")


@pytest.mark.parametrize(
    "text",
    [
        "0193f0a47c1e7d398b530a4f6f2b9c11",
        "{0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11}",
        "urn:uuid:0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11",
        "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c1",
        "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c112",
        "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c1g",
        " 0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11",
        "0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11%0A",
        "\u0660193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11",
        "null",
        "-1",
        "..",
        "%",
    ],
)
def test_only_the_hyphenated_form_is_a_uuid(admin, text):
    refused(admin.get(f"/stacks/{text}"), 400, "invalid_path")


def test_a_uuid_may_be_in_upper_case(admin):
    stack = make_stack()
    response = admin.get(f"/stacks/{str(stack.id).upper()}")
    assert response.status_code == 200
    assert response.json()["id"] == str(stack.id)


def test_a_nul_in_an_id_is_400(admin, subtests):
    for route, name in WITH_IDS:
        with subtests.test(f"{route} {name}"):
            path = fill(route.path, **{name: "%00"})
            refused(call(route.method, f"/api/v1{path}", key=admin.key), 400, "nul_character")


@pytest.mark.parametrize("word", ["labels", "annotations"])
def test_a_nul_in_a_word_is_400(admin, word):
    stack = make_stack()
    response = call("DELETE", f"/api/v1/stacks/{stack.id}/{word}/a%00b", key=admin.key)
    refused(response, 400, "nul_character")


def test_a_wrong_key_with_a_nul_in_the_path_is_401(db):
    refused(call("GET", "/api/v1/stacks/%00", key="brokkr_BRabcdef_x"), 401, "unauthorized")


@pytest.mark.parametrize(
    "query", ["name=%00", "label=a%00b", "cursor=%00", "pak_id=%00", "colour=%00", "limit=1&name=%00"]
)
def test_a_nul_in_the_query_is_400(admin, query):
    refused(admin.get(f"/stacks?{query}"), 400, "nul_character")


@pytest.mark.parametrize("path", ["/stacks/%ff", "/stacks/%c0%af", "/stacks/%ed%a0%80"])
def test_a_path_that_is_not_utf_8_is_400(admin, path):
    refused(call("GET", f"/api/v1{path}", key=admin.key), 400, "invalid_path")


# --- No route ---------------------------------------------------------------------------------------


NO_ROUTES = [
    "/api/v1", "/api/v1/", "/api/v2/stacks", "/api/", "/api/v1/nothing", "/api/v1/stacks/", "/api/v1//stacks",
    "/api/v1/generators/", "/api/v1/agents//", "/api/v1/stacks/a/b/c", "/api/v1/STACKS", "/api/v1/%00",
    "/api/v1/stacks/0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11/", "/api/v1/agent-events/", "/api/v1/auth/pak/",
    "/api/v1/stacks/0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11/labels/", "/api/v1/\xff",
]  # fmt: skip


def test_what_is_no_route_is_404_for_everybody_and_every_method(subtests):
    for path in NO_ROUTES:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
            with subtests.test(f"{method} {path}"):
                # As a browser on another site would send it: without a key, and with cross-site checks on.
                client = Client(enforce_csrf_checks=True)
                response = client.generic(method, path, b"{}", content_type="application/json")
                assert response.status_code == 404
                assert response.headers["Content-Type"] == "application/json"
                assert response.headers["Cache-Control"] == "private, no-cache"
                if method != "HEAD":
                    refused(response, 404, "not_found")


def test_a_slash_at_the_end_is_never_redirected(admin):
    for path in PATHS:
        if path not in {"/agents", "/agents/"}:
            response = admin.get(path.replace("{", "").replace("}", "") + "/")
            # A label or key may end in a slash, so there the route is the one without it.
            assert response.status_code in ({405} if path.endswith(("{label}", "{key}")) else {404}), path


# --- Methods ----------------------------------------------------------------------------------------


def test_a_method_that_a_path_does_not_take_is_405_and_names_those_it_takes(subtests):
    _, agent = make_agent()
    for path in PATHS:
        with subtests.test(path):
            for method in set(METHODS) - allowed(path):
                response = agent.request(method, fill(path))
                assert response.status_code == 405, method
                assert set(response.headers["Allow"].split(", ")) == allowed(path), method
                if method != "HEAD":
                    refused(response, 405, "method_not_allowed")


def test_without_a_key_every_method_is_401(anonymous, subtests):
    for path in PATHS:
        with subtests.test(path):
            for method in METHODS:
                response = anonymous.request(method, fill(path))
                assert response.status_code == 401, method
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="brokkr"', method
                if method != "HEAD":
                    refused(response, 401, "unauthorized")


def test_head_answers_what_get_answers_without_the_body(world, subtests):
    for path in PATHS:
        if "GET" in allowed(path):
            with subtests.test(path):
                _assert_head_is_get_without_the_body(world, path)


def _assert_head_is_get_without_the_body(world: World, path: str) -> None:
    target = world.fill(
        path.replace("log/{work_order_id}", "log/{finished_order_id}").replace(
            "{stack_id}/rollout-strategy", "{rolled_out_stack_id}/rollout-strategy"
        )
    )
    if path == "/agents/":
        target += "?name=edge-01&cluster_name=test-cluster"
    if path.endswith("/explain"):
        target += f"?stack_id={world.ids['stack_id']}"
    if path == "/admin/audit-seals/verify":
        target += "?first=1&last=1"
    if path.endswith("/install"):
        target += "?format=env"
    got, headed = (world.callers["admin"].request(method, target) for method in ("GET", "HEAD"))
    assert got.status_code == headed.status_code == 200
    assert headed.content == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
        assert headed.headers.get(name) == got.headers.get(name), name


def test_a_key_with_the_wrong_role_hears_405_before_403(db):
    _, agent = make_agent()
    refused(agent.put("/stacks", {}), 405, "method_not_allowed")


# --- Query ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.5", "1e2", "9" * 30, "9" * 3000, "null"])
def test_a_limit_outside_1_to_1000_is_400(admin, limit):
    body = refused(admin.get(f"/stacks?limit={limit}"), 400, "invalid_query")
    assert set(body["details"]["fields"]) == {"limit"}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/stacks", "pak_id=x"),
        ("/stacks", "pak_id="),
        ("/stacks", "count=maybe"),
        ("/agent-events", "pak_id=x"),
        ("/admin/audit-logs", "actor_id=x"),
        ("/admin/audit-logs", "resource_id=x"),
        ("/admin/audit-logs", "from=yesterday"),
        ("/admin/audit-logs", "to=2026-13-01T00:00:00Z"),
        ("/admin/audit-logs", "limit=x"),
        ("/admin/audit-logs", "offset=1.5"),
    ],
)
def test_a_query_value_of_the_wrong_type_is_400_and_named(admin, path, query):
    body = refused(admin.get(f"{path}?{query}"), 400, "invalid_query")
    assert set(body["details"]["fields"]) == {query.partition("=")[0]}


@pytest.mark.parametrize("query", ["mode=", "mode=FULL", "mode=everything", "mode=full,incremental"])
def test_an_unknown_mode_of_the_target_state_is_400(admin, query):
    agent, _ = make_agent()
    refused(admin.get(f"/agents/{agent.id}/target-state?{query}"), 400, "invalid_query")


def test_a_marker_flag_other_than_true_or_false_is_400(admin):
    stack = make_stack()
    response = admin.post(
        f"/stacks/{stack.id}/deployment-objects?deletion_marker=1", {"yaml_content": manifest(1)}
    )
    refused(response, 400, "invalid_query")


@pytest.mark.parametrize(
    "query", ["limit=-5", "limit=0", "offset=-1", "limit=99999", "offset=999999999999999"]
)
def test_the_audit_log_brings_its_numbers_within_their_bounds(admin, query):
    response = admin.get(f"/admin/audit-logs?{query}")
    assert response.status_code == 200
    assert 1 <= response.json()["limit"] <= 1000
    assert response.json()["offset"] >= 0


def test_of_a_parameter_that_comes_twice_the_last_counts(admin):
    make_stack()
    make_stack()
    assert len(admin.get("/stacks?limit=2&limit=1").json()) == 1
    assert len(admin.get("/stacks?limit=x&limit=2").json()) == 2
    refused(admin.get("/stacks?limit=2&limit=x"), 400, "invalid_query")


def test_unknown_parameters_are_not_looked_at(admin):
    assert admin.get("/stacks?colour=red&format=yaml&_method=DELETE").status_code == 200


# --- What a path may carry --------------------------------------------------------------------------


def test_a_key_reaches_only_its_own_row_in_any_spelling_of_the_id():
    generator, api = make_generator()
    assert api.get(f"/generators/{str(generator.id).upper()}").status_code == 200
