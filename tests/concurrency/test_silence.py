"""Several workers that announce the same agents at once, on PostgreSQL."""

from collections import Counter
from datetime import timedelta

import pytest

from agents.models import Agent, AgentHeartbeat
from agents.services.silence import announce_recovered_agents, announce_silent_agents
from audit.models import AuditLog
from tests.factories import make_agent
from tests.support.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_postgres]

AGENTS = 12
WORKERS = 4


def test_of_several_workers_one_announces_each_silence_and_each_return(monkeypatch, now):
    # Small steps, so that the workers meet in every one of them.
    monkeypatch.setattr("agents.services.silence._BATCH", 3)
    for _ in range(AGENTS):
        make_agent()
    AgentHeartbeat.objects.update(last_heartbeat=now - timedelta(hours=1))

    silent = together(*[lambda: announce_silent_agents(now=now)] * WORKERS)

    assert sum(silent) == AGENTS
    assert not Agent.objects.filter(silent_since__isnull=True).exists()

    AgentHeartbeat.objects.update(last_heartbeat=now)
    recovered = together(*[lambda: announce_recovered_agents(now=now)] * WORKERS)

    assert sum(recovered) == AGENTS
    assert not Agent.objects.filter(silent_since__isnull=False).exists()
    actions = Counter(AuditLog.objects.values_list("action", flat=True))
    assert (actions["agent.silent"], actions["agent.recovered"]) == (AGENTS, AGENTS)
