"""The tab with what an agent tells of single Kubernetes resources."""

import pytest

from agents.services.agents import record_heartbeat
from core.events import SYSTEM
from health.services import HealthReport, report_health
from tests.factories import make_agent, make_object, make_stack
from tests.support.admin import staff

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("a page")]


def resource(name: str, *, ready: bool, message: str | None = None) -> dict[str, object]:
    return {"kind": "Deployment", "name": name, "namespace": "shop", "ready": ready, "message": message}


def tell(agent, now, *resources: dict[str, object], stack: str = "till"):
    obj = make_object(make_stack(name=stack))
    summary = {"pods_ready": 0, "pods_total": 0, "conditions": [], "resources": list(resources)}
    reports = [HealthReport(obj.id, "degraded", now, summary)]
    report_health(agent_id=agent.id, reports=reports, actor=SYSTEM, now=now)


def page(operator, agent) -> str:
    response = operator.get(f"agents/agent/{agent.pk}/resources/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_what_is_not_ready_is_on_top(operator, now):
    agent, _ = make_agent()
    tell(agent, now, resource("good", ready=True), resource("bad", ready=False, message="no pods <b>"))
    text = page(operator, agent)
    assert text.index("bad") < text.index("good")
    assert "no pods &lt;b&gt;" in text
    assert "till" in text


def test_the_page_says_that_versions_are_left_out(operator, now, monkeypatch):
    agent, _ = make_agent()
    tell(agent, now, resource("told-first", ready=True))
    assert "versions that the agent spoke of last" not in page(operator, agent)
    monkeypatch.setattr("health.admin._VERSIONS_LOOKED_AT", 1)
    tell(agent, now, resource("told-last", ready=True), stack="shop")
    text = page(operator, agent)
    assert "Only the 1 versions that the agent spoke of last are here." in text
    assert ("told-last" in text, "told-first" in text) == (True, False)


def test_an_agent_that_tells_nothing_has_an_empty_tab(operator):
    agent, _ = make_agent()
    assert "told nothing of single resources" in page(operator, agent)


def test_it_is_for_those_who_may_see_health():
    agent, _ = make_agent()
    response = staff("agents.view_agent").get(f"agents/agent/{agent.pk}/resources/")
    assert response.status_code == 403


def test_the_overview_says_which_agent_it_is(operator):
    agent, _ = make_agent()
    record_heartbeat(agent_id=agent.id, k8s_reachable=True, k8s_api_latency_ms=3, agent_version="1.2.3")
    text = operator.get(f"agents/agent/{agent.pk}/change/").content.decode()
    assert "agent 1.2.3" in text
