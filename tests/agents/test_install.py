"""GET /agents/{id}/install."""

import shlex
from uuid import uuid4

import pytest
import yaml

from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent
from tests.support.api import refused
from tests.support.server import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what starts an agent in its cluster")]


def variables(text):
    return dict(each.split("=", 1) for each in shlex.split(text))


def test_the_environment_has_all_but_the_key(admin):
    agent, api = make_agent(name="edge's\nPATH=x $(id)", cluster_name="fra")
    for reader in (admin, api):
        response = reader.get(f"/agents/{agent.id}/install?format=env")
        assert (response.status_code, response.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert variables(response.content.decode()) == {
            "BROKKR__AGENT__BROKER_URL": "http://testserver",
            "BROKKR__AGENT__AGENT_NAME": "edge's\nPATH=x $(id)",
            "BROKKR__AGENT__CLUSTER_NAME": "fra",
            "BROKKR__AGENT__PAK": "<the key of the agent>",
        }
        assert api.key not in response.content.decode()


def test_the_address_is_that_of_the_setting_where_there_is_one(admin, settings):
    settings.PUBLIC_URL = "https://brokkr.example.com"
    agent, _ = make_agent()
    text = admin.get(f"/agents/{agent.id}/install?format=env").content.decode()
    assert variables(text)["BROKKR__AGENT__BROKER_URL"] == "https://brokkr.example.com"


def test_the_manifests_run_the_agent_with_its_secret_and_no_wide_right(admin):
    agent, api = make_agent(name="yes: {a: 1}\n---\nkind: Secret", cluster_name="fra")
    response = admin.get(f"/agents/{agent.id}/install?format=manifests")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert api.key not in response.content.decode()
    found = {each["kind"]: each for each in yaml.safe_load_all(response.content)}
    kinds = ["Namespace", "Secret", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Deployment"]
    assert list(found) == kinds
    pod = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "ghcr.io/colliery-io/brokkr-agent:v0.9.1"
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["BROKKR__AGENT__AGENT_NAME"] == agent.name
    assert container["envFrom"] == [{"secretRef": {"name": found["Secret"]["metadata"]["name"]}}]
    assert found["Secret"]["stringData"] == {"BROKKR__AGENT__PAK": "<the key of the agent>"}
    assert pod["serviceAccountName"] == found["ClusterRoleBinding"]["subjects"][0]["name"]
    granted = [word for rule in found["ClusterRole"]["rules"] for words in rule.values() for word in words]
    assert "*" not in granted
    assert not {"clusterroles", "roles", "escalate", "bind", "impersonate", "pods/exec"} & set(granted)


def test_our_own_agent_is_run_as_its_chart_runs_it(admin, settings):
    settings.AGENT_IMAGE = "registry.example.com/ours:2"
    agent, api = make_agent()
    response = admin.get(f"/agents/{agent.id}/install?format=brokkr-agent")
    assert response.status_code == 200
    assert api.key not in response.content.decode()
    found = {
        (each["kind"], each["metadata"].get("namespace")): each
        for each in yaml.safe_load_all(response.content)
    }
    chart = list(yaml.safe_load_all((ROOT / "deploy/kustomize/agent/brokkr-agent.yaml").read_text()))
    roles = {"ClusterRole", "ClusterRoleBinding"}
    places = {(each["kind"], None if each["kind"] in roles else "brokkr") for each in chart}
    assert found.keys() == places | {("Namespace", None), ("Secret", "brokkr")}
    assert found["Secret", "brokkr"]["stringData"] == {"key": "<the key of the agent>"}
    assert found["ClusterRole", None]["rules"] == next(
        each["rules"] for each in chart if each["kind"] == "ClusterRole"
    )
    (container,) = found["Deployment", "brokkr"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/ours:2"
    assert {"name": "BROKKR_AGENT_BROKER_URL", "value": "http://testserver"} in container["env"]


@pytest.mark.parametrize("query", ["", "?format=", "?format=helm", "?format=ENV"])
def test_a_form_that_is_none_is_refused(admin, query):
    agent, _ = make_agent()
    refused(admin.get(f"/agents/{agent.id}/install{query}"), 400, "invalid_query")


def test_of_no_agent_there_is_nothing(admin):
    agent, _ = make_agent()
    delete_agent(agent=agent, actor=SYSTEM)
    for agent_id in (agent.id, uuid4()):
        refused(admin.get(f"/agents/{agent_id}/install?format=env"), 404, "agent_not_found")


def test_others_than_the_agent_and_admins_are_refused(anonymous):
    agent, _ = make_agent()
    path = f"/agents/{agent.id}/install?format=env"
    refused(anonymous.get(path), 401, "unauthorized")
    refused(make_agent()[1].get(path), 403, "agent_pak_mismatch")
