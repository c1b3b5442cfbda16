"""The agents of a demonstration that were heard go on sending heartbeats."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import AgentHeartbeat
from agents.services.agents import record_heartbeat
from console.demo.life import keep_alive, living
from tests.factories import make_agent

pytestmark = pytest.mark.django_db


def test_only_active_agents_that_were_heard_go_on():
    heard, silent, paused = (make_agent(active=active)[0] for active in (True, True, False))
    for agent in (heard, paused):
        record_heartbeat(agent_id=agent.pk, k8s_reachable=True, k8s_api_latency_ms=3)
    long_ago = timezone.now() - timedelta(days=1)
    AgentHeartbeat.objects.filter(agent=silent).update(last_heartbeat=long_ago)
    assert living() == [heard.pk]


def test_heartbeats_are_sent_until_it_is_enough():
    agent, _ = make_agent(active=True)
    seen = []

    def wait(_seconds: float) -> bool:
        beat = AgentHeartbeat.objects.get(agent=agent)
        seen.append(beat.last_heartbeat)
        return len(seen) == 3

    keep_alive([agent.pk], wait)
    assert seen == sorted(set(seen))
    assert len(seen) == 3
