"""GET /stacks."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_generator, make_stack
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def names(api, query: str = "") -> list[str]:
    response = api.get(f"/stacks{query}")
    assert response.status_code == 200
    return [row["name"] for row in response.json()]


def test_an_admin_sees_all_live_stacks_oldest_first(admin):
    make_stack(name="b")
    make_stack(name="a")
    delete_stack(stack=make_stack(name="gone"), actor=SYSTEM)
    assert names(admin) == ["b", "a"]
    assert set(admin.get("/stacks").json()[0]) == {
        "id",
        "created_at",
        "updated_at",
        "deleted_at",
        "name",
        "description",
        "generator_id",
    }


def test_a_generator_sees_only_its_own_and_cannot_widen_the_view():
    generator, api = make_generator()
    other, _ = make_generator()
    make_stack(generator, name="mine")
    make_stack(other, name="theirs")
    assert names(api) == ["mine"]
    assert names(api, f"?pak_id={other.id}") == []


def test_an_agent_may_not(anonymous):
    refused(make_agent()[1].get("/stacks"), 403, "stacks_list_denied")
    refused(anonymous.get("/stacks"), 401, "unauthorized")


def test_an_admin_scopes_the_list_to_one_generator(admin):
    generator, _ = make_generator()
    make_stack(generator, name="one")
    make_stack(name="two")
    assert names(admin, f"?pak_id={generator.id}") == ["one"]
    assert names(admin, f"?pak_id={uuid4()}") == []
    refused(admin.get("/stacks?pak_id=17"), 400, "invalid_query")


def test_name_and_label_select_together(admin):
    make_stack(name="pay-api", labels=["prod", "eu"])
    make_stack(name="pay-web", labels=["prod"])
    make_stack(name="fraud", labels=["eu"])
    assert names(admin, "?name=PAY") == ["pay-api", "pay-web"]
    assert names(admin, "?label=eu") == ["pay-api", "fraud"]
    assert names(admin, "?label=e") == []
    assert names(admin, "?name=pay&label=eu") == ["pay-api"]
    assert names(admin, "?name=_") == []


@pytest.mark.parametrize("rows", [1, 12])
@pytest.mark.parametrize("query", ["", "?label=a&name=stack", "?limit=100&count=true"])
def test_the_number_of_queries_is_fixed(admin, rows, query, django_assert_num_queries):
    for _ in range(rows):
        make_stack(labels=["a", "b"])
    admin.get("/stacks")
    with django_assert_num_queries(3 if "count" in query else 2):
        assert len(names(admin, query)) == rows
