"""What the broker could not hear is no silence."""

from datetime import timedelta

import pytest

from agents.models import Agent, AgentHeartbeat, HearingMark
from agents.services.hearing import LONGEST_GAP, note_hearing
from agents.services.silence import announce_silent_agents
from agents.silence import surely_silent_agents
from tests.factories import make_agent

pytestmark = pytest.mark.django_db

GRACE = timedelta(seconds=300)
SECOND = timedelta(seconds=1)


@pytest.fixture
def heard(now):
    """Notes that an agent was heard at a moment; the agent."""

    def at(moment) -> Agent:
        agent, _ = make_agent()
        AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=moment)
        return agent

    return at


def span(since, until) -> None:
    HearingMark.objects.update_or_create(pk=1, defaults={"since": since, "until": until})


def test_while_the_broker_hears_a_missing_heartbeat_is_silence(heard, now):
    span(now - 2 * GRACE, now)
    agent = heard(now - GRACE - SECOND)
    heard(now - GRACE + SECOND)
    assert list(surely_silent_agents(now)) == [agent]


def test_a_broker_that_was_away_for_an_hour_announces_nobody_before_it_hears_again(heard, now):
    away_since = now - timedelta(hours=1)
    span(away_since - 2 * GRACE, away_since)
    heard(away_since - SECOND)
    assert announce_silent_agents(now=now) == 0


def test_after_a_break_an_agent_has_its_whole_grace_to_be_heard(heard, now):
    span(now - timedelta(hours=2), now - timedelta(hours=1))
    heard(now - timedelta(hours=1))
    note_hearing(now=now, has_missed=False)
    for later, announced in ((GRACE, 0), (GRACE + SECOND, 1)):
        HearingMark.objects.update(until=now + later)
        assert announce_silent_agents(now=now + later) == announced


def test_an_agent_of_its_own_grace_has_that_one(heard, now):
    agent = heard(now - timedelta(hours=1))
    Agent.objects.filter(pk=agent.pk).update(silent_after_seconds=20)
    span(now - timedelta(seconds=21), now)
    assert list(surely_silent_agents(now)) == [agent]
    span(now - timedelta(seconds=19), now)
    assert list(surely_silent_agents(now)) == []


def test_an_agent_that_was_never_heard_is_new_and_not_silent(now):
    make_agent()
    span(now - timedelta(hours=1), now)
    assert not surely_silent_agents(now).exists()


def test_notes_without_a_break_belong_to_one_span(now):
    for second in (0, 3, 6, 6 + LONGEST_GAP.total_seconds()):
        note_hearing(now=now + timedelta(seconds=second), has_missed=False)
    mark = HearingMark.objects.get()
    assert (mark.since, mark.until) == (now, now + 6 * SECOND + LONGEST_GAP)


@pytest.mark.parametrize(
    ("later", "has_missed"),
    [(LONGEST_GAP + SECOND, False), (3 * SECOND, True), (-LONGEST_GAP - SECOND, False)],
    ids=["after a gap", "after missed heartbeats", "after the clock was set back"],
)
def test_a_break_begins_a_new_span(now, later, has_missed):
    note_hearing(now=now, has_missed=False)
    note_hearing(now=now + later, has_missed=has_missed)
    mark = HearingMark.objects.get()
    assert (mark.since, mark.until) == (now + later, now + later)


def test_a_worker_that_was_paused_judges_by_what_was_heard_meanwhile(heard, now):
    span(now - timedelta(hours=2), now)
    heard(now)
    assert announce_silent_agents(now=now - timedelta(hours=1)) == 0
