"""A report is a repeat only of the agent's latest word on the object, and a repeat is never told again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import AgentEvent, AgentHeartbeat
from agents.services.events import delete_old_events
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.events import notices, recorded_events
from tests.support.waits import seconds_since

pytestmark = pytest.mark.django_db

WORDS = {"S": "SUCCESS", "F": "FAILURE"}


@pytest.fixture
def pair():
    agent, api = make_agent()
    return agent, api, make_object(make_stack())


def body(obj, status: str, message: str | None = None) -> dict[str, object]:
    return {
        "deployment_object_id": str(obj.id),
        "event_type": "DEPLOY",
        "status": status,
        "message": message,
    }


def one_by_one(agent, api, obj, story: str) -> None:
    for letter in story:
        assert api.post(f"/agents/{agent.id}/events", body(obj, WORDS[letter])).status_code == 201


def in_one_batch(agent, api, obj, story: str) -> None:
    reports = [body(obj, WORDS[letter]) for letter in story]
    assert api.post(f"/agents/{agent.id}/events/batch", {"events": reports}).status_code == 201


@pytest.mark.parametrize("send", [one_by_one, in_one_batch])
def test_every_change_of_word_is_a_row_and_a_notice(pair, admin, send):
    agent, api, obj = pair
    with recorded_events() as events:
        send(agent, api, obj, "SSFFSFS")
    told = ["deployment.applied", "deployment.failed"] * 2 + ["deployment.applied"]
    assert [notice for notice, _ in notices(events)] == told
    rows = AgentEvent.objects.order_by("created_at", "id")
    assert [(row.status[0], row.count) for row in rows] == [("S", 2), ("F", 2), ("S", 1), ("F", 1), ("S", 1)]
    latest = str(rows.last().id)
    for path in (f"/agents/{agent.id}/events", "/agent-events"):
        assert admin.get(path).json()[0]["id"] == latest
    assert admin.get(f"/agents/{agent.id}/fleet-status").json()["recent_events"][0]["id"] == latest


@pytest.mark.parametrize("later", [timedelta(minutes=61), timedelta(days=29)])
def test_a_repeat_is_not_told_again_whatever_the_time(pair, later):
    agent, _, obj = pair
    event = make_event(agent, obj)
    long_ago = timezone.now() - later
    AgentEvent.objects.filter(pk=event.pk).update(created_at=long_ago, updated_at=long_ago)
    with recorded_events() as events:
        assert make_event(agent, obj).id == event.id
    assert events == []
    assert AgentEvent.objects.get().count == 2


def test_nor_when_the_event_itself_is_too_old_to_be_kept(pair):
    agent, _, obj = pair
    make_event(agent, obj, "FAILURE", "attempt 1")
    delete_old_events(now=timezone.now() + timedelta(days=31))
    assert not AgentEvent.objects.exists()
    with recorded_events() as events:
        make_event(agent, obj, "FAILURE", "attempt 2")
        assert events == []
        make_event(agent, obj)
    assert [notice for notice, _ in notices(events)] == ["deployment.applied"]


def test_texts_that_differ_in_numbers_say_the_same_and_the_last_is_shown(pair, admin):
    agent, _, obj = pair
    first = make_event(agent, obj, "FAILURE", "timed out after 31 s")
    with recorded_events() as events:
        again = make_event(agent, obj, "FAILURE", "timed out after 44 s")
    assert (again.id, again.count, events) == (first.id, 2, [])
    assert admin.get(f"/agent-events/{first.id}").json()["message"] == "timed out after 44 s"


def test_the_latest_word_comes_first_though_it_was_said_before(admin):
    agent, _ = make_agent()
    one, two = make_object(make_stack()), make_object(make_stack())
    first, second = make_event(agent, one), make_event(agent, two)
    path = f"/agents/{agent.id}/events"
    assert [row["id"] for row in admin.get(path).json()] == [str(second.id), str(first.id)]
    make_event(agent, one)
    assert [row["id"] for row in admin.get(path).json()] == [str(first.id), str(second.id)]


def test_the_fleet_counts_from_the_latest_word_not_from_the_first(pair, admin):
    agent, _, obj = pair
    make_event(agent, obj)
    hour_ago = timezone.now() - timedelta(hours=1)
    AgentEvent.objects.update(created_at=hour_ago, updated_at=hour_ago)
    AgentHeartbeat.objects.update(last_report_at=hour_ago)
    now = timezone.now()
    make_event(agent, obj)
    record = admin.get(f"/agents/{agent.id}/fleet-status").json()["record"]
    assert record["seconds_since_last_event"] <= seconds_since(now)
