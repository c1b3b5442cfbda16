"""Agents that are heard no more: who counts as silent, and that each change is announced once."""

from datetime import datetime, timedelta

import pytest

from agents.jobs import watch_silence
from agents.models import Agent, AgentHeartbeat
from agents.services import silence
from agents.services.silence import announce_recovered_agents, announce_silent_agents
from agents.silence import is_silent
from tests.factories import make_agent
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def heard(now: datetime, agent: Agent, seconds_ago: float) -> None:
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=now - timedelta(seconds=seconds_ago))


def make_heard(now: datetime, seconds_ago: float, silent_after_seconds: int | None = None) -> Agent:
    agent, _ = make_agent()
    Agent.objects.filter(pk=agent.pk).update(silent_after_seconds=silent_after_seconds)
    heard(now, agent, seconds_ago)
    return Agent.objects.with_heartbeat().get(pk=agent.pk)


@pytest.mark.parametrize(
    ("seconds_ago", "own_grace", "silent"),
    [(299, None, False), (301, None, True), (301, 400, False), (401, 400, True), (11, 10, True)],
)
def test_an_agent_is_silent_when_its_heartbeat_is_older_than_its_grace(seconds_ago, own_grace, silent, now):
    agent = make_heard(now, seconds_ago, own_grace)
    assert is_silent(agent, now) == silent
    assert list(Agent.objects.silent(now)) == [agent] * silent
    assert list(Agent.objects.heard(now)) == [agent] * (not silent)


def test_the_grace_of_agents_without_one_of_their_own_is_a_setting(settings, now):
    settings.AGENT_SILENT_AFTER_SECONDS = 20
    agent = make_heard(now, 21)
    assert is_silent(agent, now)
    assert list(Agent.objects.silent(now)) == [agent]


def test_an_agent_that_never_sent_a_heartbeat_is_new_and_not_silent(now):
    agent, _ = make_agent()
    assert not is_silent(agent, now)
    assert announce_silent_agents(now=now) == 0


def test_silence_and_recovery_are_each_announced_once(now):
    agent = make_heard(now, 301)
    last = agent.heartbeat.last_heartbeat
    with recorded_events() as events, recorded_audit() as rows:
        assert [announce_silent_agents(now=now), announce_silent_agents(now=now)] == [1, 0]
        assert announce_recovered_agents(now=now) == 0
        heard(now, agent, 1)
        assert [announce_recovered_agents(now=now), announce_recovered_agents(now=now)] == [1, 0]
        assert announce_silent_agents(now=now) == 0
    named = {"agent_id": agent.id, "name": agent.name, "cluster_name": agent.cluster_name}
    assert notices(events) == [
        ("agent.silent", named | {"last_heartbeat": last, "silent_after_seconds": 300}),
        ("agent.recovered", named | {"silent_since": last, "last_heartbeat": now - timedelta(seconds=1)}),
    ]
    assert [(row.action, row.actor_type, row.resource_id) for row in rows] == [
        ("agent.silent", "system", agent.id),
        ("agent.recovered", "system", agent.id),
    ]
    assert rows[0].details == {
        "last_heartbeat": last.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "silent_after_seconds": 300,
    }


def test_an_agent_goes_silent_again_after_it_has_recovered(now):
    agent = make_heard(now, 301)
    announce_silent_agents(now=now)
    heard(now, agent, 1)
    announce_recovered_agents(now=now)
    assert announce_silent_agents(now=now + timedelta(seconds=301)) == 1


def test_a_longer_grace_ends_the_silence(now):
    agent = make_heard(now, 301)
    announce_silent_agents(now=now)
    Agent.objects.filter(pk=agent.pk).update(silent_after_seconds=600)
    assert announce_recovered_agents(now=now) == 1


def test_deleted_agents_are_neither_silent_nor_recovered(admin, now):
    gone, back = make_heard(now, 301), make_heard(now, 301)
    admin.delete(f"/agents/{gone.id}")
    assert announce_silent_agents(now=now) == 1
    admin.delete(f"/agents/{back.id}")
    heard(now, back, 1)
    assert announce_recovered_agents(now=now) == 0


def test_a_heartbeat_that_comes_while_it_is_being_announced_wins(now):
    as_it_was_read = make_heard(now, 301)
    heard(now, as_it_was_read, 0)
    assert silence._mark_silent(as_it_was_read) is None
    as_it_was_read.refresh_from_db()
    assert as_it_was_read.silent_since is None


def test_an_agent_that_another_worker_has_announced_as_recovered_is_not_announced_again(now):
    as_it_was_read = make_heard(now, 0)
    Agent.objects.filter(pk=as_it_was_read.pk).update(silent_since=now - timedelta(hours=1))
    as_it_was_read.refresh_from_db()
    announce_recovered_agents(now=now)
    assert silence._mark_recovered(as_it_was_read) is None


def test_many_agents_are_announced_in_steps(monkeypatch, now):
    monkeypatch.setattr("agents.services.silence._BATCH", 2)
    for _ in range(5):
        make_heard(now, 301)
    assert announce_silent_agents(now=now) == 5


def test_the_worker_watches(now):
    make_heard(now, 3600)
    recovered = make_heard(now, 0)
    Agent.objects.filter(pk=recovered.pk).update(silent_since=now - timedelta(hours=1))
    assert watch_silence() == 2
    assert watch_silence() == 0


def test_watching_costs_two_queries_when_nothing_changes(django_assert_num_queries, now):
    for _ in range(3):
        make_heard(now, 0)
    with django_assert_num_queries(2):
        assert watch_silence() == 0
