"""GET /agents/{id}."""

from uuid import uuid4

import pytest

from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent, make_generator, make_registration
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_admin_and_the_agent_itself_read_it(admin):
    agent, api = make_agent(name="edge", cluster_name="fra", active=True)
    for reader in (admin, api):
        response = reader.get(f"/agents/{agent.id}")
        assert response.status_code == 200
        assert response.json()["name"] == "edge"
        assert response.json()["cluster_name"] == "fra"
        assert response.json()["status"] == "ACTIVE"


def test_others_are_refused_before_it_is_known_whether_it_exists(anonymous):
    agent, _ = make_agent()
    generator, registered = make_generator()
    make_registration(agent, generator)
    for path in (f"/agents/{agent.id}", f"/agents/{uuid4()}"):
        refused(anonymous.get(path), 401, "unauthorized")
        for api in (registered, make_agent()[1]):
            refused(api.get(path), 403, "agent_pak_mismatch")


def test_unknown_and_deleted_are_404(admin):
    agent, api = make_agent()
    delete_agent(agent=agent, actor=SYSTEM)
    refused(admin.get(f"/agents/{agent.id}"), 404, "agent_not_found")
    refused(admin.get(f"/agents/{uuid4()}"), 404, "agent_not_found")
    refused(api.get(f"/agents/{agent.id}"), 401, "unauthorized")


def test_a_malformed_id_is_400(admin):
    refused(admin.get("/agents/17"), 400, "invalid_path")


def test_it_takes_one_query_beside_the_key(admin, django_assert_num_queries):
    agent, _ = make_agent()
    admin.get(f"/agents/{agent.id}")
    with django_assert_num_queries(2):
        admin.get(f"/agents/{agent.id}")
