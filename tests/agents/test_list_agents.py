"""GET /agents."""

import pytest

from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent, make_generator, make_registration
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def names(api, query: str = "") -> list[str]:
    response = api.get(f"/agents{query}")
    assert response.status_code == 200
    return [row["name"] for row in response.json()]


def test_an_admin_sees_all_live_agents_oldest_first(admin):
    make_agent(name="b")
    make_agent(name="a")
    delete_agent(agent=make_agent(name="gone")[0], actor=SYSTEM)
    assert names(admin) == ["b", "a"]
    assert "pak_hash" not in admin.get("/agents").json()[0]


def test_a_generator_sees_the_agents_registered_with_it():
    generator, api = make_generator()
    agent, _ = make_agent(name="mine")
    make_agent(name="other")
    assert names(api) == []
    make_registration(agent, generator)
    assert names(api) == ["mine"]
    delete_agent(agent=agent, actor=SYSTEM)
    assert names(api) == []


def test_agents_may_not(anonymous):
    refused(make_agent()[1].get("/agents"), 403, "generator_required")
    refused(anonymous.get("/agents"), 401, "unauthorized")


def test_name_label_cluster_and_status_select_together(admin):
    make_agent(name="edge-1", cluster_name="fra", labels=["a", "b"], active=True)
    make_agent(name="edge-2", cluster_name="fra", labels=["a"])
    make_agent(name="core-1", cluster_name="lon", labels=["b"])
    assert names(admin, "?name=EDGE") == ["edge-1", "edge-2"]
    assert names(admin, "?label=b") == ["edge-1", "core-1"]
    assert names(admin, "?cluster_name=lon") == ["core-1"]
    assert names(admin, "?status=ACTIVE") == ["edge-1"]
    assert names(admin, "?name=edge&label=a&status=INACTIVE&cluster_name=fra") == ["edge-2"]
    assert names(admin, "?status=active") == []


@pytest.mark.parametrize("rows", [1, 12])
@pytest.mark.parametrize("role", ["admin", "generator"])
def test_the_number_of_queries_is_fixed(admin, rows, role, django_assert_num_queries):
    generator, api = make_generator()
    for _ in range(rows):
        make_registration(make_agent(labels=["a", "b"])[0], generator)
    reader = admin if role == "admin" else api
    names(reader)
    with django_assert_num_queries(2):
        assert len(names(reader)) == rows
