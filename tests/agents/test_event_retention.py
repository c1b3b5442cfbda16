"""Old events go; what markers and status pages need of them stays."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.jobs import forget_old_events
from agents.models import AgentEvent, MarkerDelivery, StackReport
from agents.services.events import delete_old_events
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_object, make_stack

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def make_old_event(days: int) -> AgentEvent:
    event = make_event(make_agent()[0], make_object(make_stack()), message=str(days))
    at = NOW - timedelta(days=days, seconds=1)
    AgentEvent.objects.filter(pk=event.pk).update(created_at=at, updated_at=at)
    return event


def kept() -> list[str]:
    return sorted(event.message for event in AgentEvent.objects.all())


def test_events_older_than_thirty_days_are_deleted_also_those_of_deleted_agents(admin):
    for days in (29, 30, 31):
        gone = make_old_event(days)
    admin.delete(f"/agents/{gone.agent_id}")
    assert [delete_old_events(now=NOW), delete_old_events(now=NOW)] == [2, 0]
    assert kept() == ["29"]


def test_a_report_that_is_still_repeated_is_kept():
    event = make_old_event(31)
    AgentEvent.objects.filter(pk=event.pk).update(updated_at=NOW)
    assert delete_old_events(now=NOW) == 0


def test_how_long_is_a_setting_and_none_is_for_ever(settings):
    make_old_event(100)
    make_old_event(5)
    settings.AGENT_EVENTS_RETENTION_DAYS = 0
    assert delete_old_events(now=NOW) == 0
    settings.AGENT_EVENTS_RETENTION_DAYS = 5
    assert forget_old_events() == 2


def test_the_latest_word_on_a_stack_survives_and_its_marker_is_still_delivered():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack), "FAILURE", "no")
    delete_old_events(now=NOW + timedelta(days=31))
    assert not AgentEvent.objects.exists()
    word = StackReport.objects.get()
    assert (word.agent_id, word.stack_id, word.status, word.message) == (agent.id, stack.id, "FAILURE", "no")
    delete_stack(stack=stack, actor=SYSTEM)
    assert MarkerDelivery.objects.count() == 1
    (marker,) = api.get(f"/agents/{agent.id}/target-state").json()
    assert marker["is_deletion_marker"]


def test_many_are_deleted_in_steps_and_not_without_end(monkeypatch):
    monkeypatch.setattr("core.retention.STEP", 2)
    monkeypatch.setattr("core.retention.MAX_STEPS", 3)
    for days in range(31, 39):
        make_old_event(days)
    with CaptureQueriesContext(connection) as queries:
        assert delete_old_events(now=NOW) == 6
    assert len([query for query in queries if query["sql"].startswith("DELETE")]) == 3
    # Of the oldest first.
    assert kept() == ["31", "32"]
    assert delete_old_events(now=NOW) == 2
