"""GET /agents/?name=&cluster_name= : another operation than the list, with a slash."""

from urllib.parse import quote

import pytest

from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent, make_generator
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_an_agent_finds_itself_and_an_admin_any(admin):
    agent, api = make_agent(name="edge", cluster_name="fra")
    make_agent(name="edge", cluster_name="lon")
    for reader in (api, admin):
        response = reader.get("/agents/?name=edge&cluster_name=fra")
        assert response.status_code == 200
        assert response.json()["id"] == str(agent.id)
        assert response.json() == admin.get(f"/agents/{agent.id}").json()


@pytest.mark.parametrize("name", ["with space", "a+b&c=d", "ünï", " padded "])
def test_names_are_decoded_and_compared_exactly(admin, name):
    agent, _ = make_agent(name=name, cluster_name="c")
    response = admin.get(f"/agents/?name={quote(name, safe='')}&cluster_name=c")
    assert response.json()["id"] == str(agent.id)


@pytest.mark.parametrize("query", ["", "?name=edge", "?cluster_name=fra", "?Name=edge&cluster_name=fra"])
def test_both_parameters_are_required(admin, query):
    make_agent(name="edge", cluster_name="fra")
    refused(admin.get(f"/agents/{query}"), 400, "name_and_cluster_required")


@pytest.mark.parametrize(
    "query", ["name=&cluster_name=", "name=edge&cluster_name=", "name=EDGE&cluster_name=fra"]
)
def test_what_does_not_match_is_404(admin, query):
    make_agent(name="edge", cluster_name="fra")
    refused(admin.get(f"/agents/?{query}"), 404, "agent_not_found")


def test_a_deleted_agent_is_not_found(admin):
    delete_agent(agent=make_agent(name="edge", cluster_name="fra")[0], actor=SYSTEM)
    refused(admin.get("/agents/?name=edge&cluster_name=fra"), 404, "agent_not_found")
    again, _ = make_agent(name="edge", cluster_name="fra")
    assert admin.get("/agents/?name=edge&cluster_name=fra").json()["id"] == str(again.id)


def test_others_are_refused(anonymous):
    make_agent(name="edge", cluster_name="fra")
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.get("/agents/?name=edge&cluster_name=fra"), 403, "agent_pak_mismatch")
    refused(anonymous.get("/agents/?name=edge&cluster_name=fra"), 401, "unauthorized")


def test_the_slash_makes_the_difference(admin):
    make_agent(name="edge", cluster_name="fra")
    assert isinstance(admin.get("/agents?name=edge&cluster_name=fra").json(), list)
    refused(admin.post("/agents/", {"name": "x", "cluster_name": "y"}), 405, "method_not_allowed")
