"""GET /templates."""

import base64
import re

import orjson
import pytest

from core.events import SYSTEM
from templates_app.services import delete_template
from tests.factories import make_agent, make_generator, make_template
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def rows(api, query: str = "") -> list[tuple[str, int]]:
    response = api.get(f"/templates{query}")
    assert response.status_code == 200, response.content
    return [(row["name"], row["version"]) for row in response.json()]


def test_an_admin_sees_every_live_version_by_name_and_version(admin):
    one, two = make_generator()[0], make_generator()[0]
    make_template(two, name="b")
    make_template(one, name="c")
    make_template(name="b")
    make_template(name="b")
    make_template(name="a")
    delete_template(template=make_template(name="a"), actor=SYSTEM)
    assert rows(admin) == [("a", 1), ("b", 1), ("b", 1), ("b", 2), ("c", 1)]


def test_a_generator_sees_the_systems_first_and_then_its_own():
    generator, api = make_generator()
    for name in ("a", "m"):
        make_template(generator, name=name)
        make_template(generator, name=name)
    for name in ("z", "b", "m"):
        make_template(name=name)
    make_template(make_generator()[0], name="a")
    assert rows(api) == [("b", 1), ("m", 1), ("z", 1), ("a", 1), ("a", 2), ("m", 1), ("m", 2)]


def test_each_version_is_answered_whole(admin):
    template = make_template(description="about")
    (row,) = admin.get("/templates").json()
    body = admin.get(f"/templates/{template.id}").json()
    del body["versions"]
    assert row == body


def test_agents_and_callers_without_a_key_may_not(anonymous):
    refused(make_agent()[1].get("/templates"), 403, "templates_not_accessible")
    refused(anonymous.get("/templates"), 401, "unauthorized")


def test_name_and_label_select_together(admin):
    make_template(name="pay-api", labels=["prod", "eu"])
    make_template(name="pay-web", labels=["prod"])
    make_template(name="fraud", labels=["eu"])
    assert rows(admin, "?name=PAY") == [("pay-api", 1), ("pay-web", 1)]
    assert rows(admin, "?label=eu") == [("fraud", 1), ("pay-api", 1)]
    assert rows(admin, "?label=e") == []
    assert rows(admin, "?name=pay&label=eu") == [("pay-api", 1)]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_go_through_both_groups(limit):
    generator, api = make_generator()
    for name in ("a", "c", "c"):
        make_template(generator, name=name)
    for name in ("b", "b", "d"):
        make_template(name=name)
    seen: list[tuple[str, int]] = []
    query = f"?limit={limit}&count=true"
    while query:
        response = api.get(f"/templates{query}")
        assert response.headers["X-Total-Count"] == "6"
        seen += [(row["name"], row["version"]) for row in response.json()]
        found = re.search(r"\?([^>]*)>; rel=\"next\"", response.headers.get("Link", ""))
        query = f"?{found[1]}" if found else ""
    assert seen == [("b", 1), ("b", 2), ("d", 1), ("a", 1), ("c", 1), ("c", 2)]


def test_a_page_is_stable_when_rows_come_before_it():
    generator, api = make_generator()
    for name in ("b", "d"):
        make_template(generator, name=name)
    link = api.get("/templates?limit=1").headers["Link"]
    make_template(name="z")
    make_template(generator, name="a")
    query = re.search(r"\?([^>]*)>", link)[0].rstrip(">")
    assert rows(api, query) == [("d", 1)]


def test_a_cursor_of_another_list_is_400(admin):
    _, api = make_generator()
    for _ in range(2):
        make_template()
    query = re.search(r"\?([^>]*)>", admin.get("/templates?limit=1").headers["Link"])[0].rstrip(">")
    refused(api.get(f"/templates{query}"), 400, "invalid_query")


@pytest.mark.parametrize("group", ["x", "", "1.5", "9" * 400, "-" + "9" * 30, "\0"])
def test_a_made_up_cursor_never_breaks(group):
    template, (_, api) = make_template(), make_generator()
    made_up = base64.urlsafe_b64encode(orjson.dumps([group, "a", "1", str(template.id)])).decode()
    response = api.get(f"/templates?cursor={made_up}")
    if response.status_code != 200:
        refused(response, 400, "invalid_query")


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_is_fixed(count, django_assert_num_queries):
    generator, api = make_generator()
    for _ in range(count):
        make_template(generator, labels=["a", "b"])
    api.get("/templates")
    with django_assert_num_queries(2):
        assert len(rows(api)) == count
