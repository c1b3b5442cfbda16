"""GET /generators."""

import pytest

from core.events import SYSTEM
from generators.services import delete_generator, ensure_admin_generator, system_generator
from tests.factories import make_agent, make_generator
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def names(api, query: str = "") -> list[str]:
    response = api.get(f"/generators{query}")
    assert response.status_code == 200
    return [row["name"] for row in response.json()]


def test_an_admin_sees_all_live_generators_oldest_first(admin):
    make_generator("b")
    make_generator("a")
    gone, _ = make_generator("gone")
    delete_generator(generator=gone, actor=SYSTEM)
    assert names(admin) == ["b", "a"]


def test_the_system_generator_is_hidden_and_the_admin_generator_shown(admin):
    system_generator()
    ensure_admin_generator()
    assert names(admin) == ["admin-generator"]
    assert admin.get("/generators").json()[0]["is_system"] is False


def test_a_part_of_the_name_selects(admin):
    make_generator("payments-ci")
    make_generator("fraud-ci")
    make_generator("per%cent")
    assert names(admin, "?name=PAY") == ["payments-ci"]
    assert names(admin, "?name=%25") == ["per%cent"]
    assert names(admin, "?name=absent") == []


def test_none_is_an_empty_list(admin):
    assert names(admin) == []


def test_only_an_admin_may(anonymous):
    refused(anonymous.get("/generators"), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.get("/generators"), 403, "admin_required")


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(admin, rows, django_assert_num_queries):
    for _ in range(rows):
        make_generator()
    admin.get("/generators")
    with django_assert_num_queries(2):
        assert len(names(admin)) == rows
