"""The agent's page says which version of an agent runs."""

import pytest

from agents.services.agents import record_heartbeat
from tests.factories import make_agent

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what pages of the admin show")]


def test_the_page_has_the_version_that_the_agent_told(operator):
    agent, _ = make_agent()
    page = f"agents/agent/{agent.pk}/change/"
    assert "agent 4.5.6" not in operator.get(page).content.decode()
    record_heartbeat(agent_id=agent.id, k8s_reachable=True, k8s_api_latency_ms=3, agent_version="4.5.6")
    assert "agent 4.5.6" in operator.get(page).content.decode()
