"""GET /deployment-objects/{id}/health and GET /stacks/{id}/health: words, and what they come to."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from health.jobs import forget_old_health
from health.models import DeploymentHealth
from tests.factories import make_agent, make_health, make_object, make_stack, manifest
from tests.support.api import refused
from tests.support.events import is_wire_time

pytestmark = pytest.mark.django_db

STALE = timedelta(seconds=301)


@pytest.fixture
def obj():
    return make_object(make_stack())


def said(obj, *statuses, ago=timedelta(0)):
    """Each status by an agent of its own."""
    for status in statuses:
        make_health(make_agent()[0], obj, status, now=timezone.now() - ago)


def of_object(admin, obj):
    return admin.get(f"/deployment-objects/{obj.id}/health").json()


def of_stack(admin, obj):
    return admin.get(f"/stacks/{obj.stack_id}/health").json()


@pytest.mark.parametrize(
    ("statuses", "overall"),
    [
        ([], "unknown"),
        (["unknown"], "unknown"),
        (["unknown", "healthy"], "healthy"),
        (["healthy", "degraded"], "degraded"),
        (["degraded", "failing", "healthy", "unknown"], "failing"),
    ],
)
def test_the_worst_word_counts_for_an_object_and_for_its_stack(admin, obj, statuses, overall):
    said(obj, *statuses)
    assert of_object(admin, obj)["overall_status"] == overall
    assert of_stack(admin, obj)["overall_status"] == overall


def test_an_object_shows_the_word_of_each_agent_last_checked_first(admin, obj):
    agent, _ = make_agent()
    summary = {"pods_ready": 1, "pods_total": 1, "conditions": [], "resources": None}
    first = make_health(agent, obj, summary=summary, now=timezone.now() - timedelta(minutes=1))
    second = make_health(make_agent()[0], obj, "failing")
    answer = of_object(admin, obj)
    assert answer["deployment_object_id"] == str(obj.id)
    assert [word["id"] for word in answer["health_records"]] == [str(second.id), str(first.id)]
    word = answer["health_records"][1]
    assert json.loads(word.pop("summary")) == summary
    for name in ("checked_at", "created_at", "updated_at"):
        assert is_wire_time(word.pop(name))
    assert word == {
        "id": str(first.id),
        "agent_id": str(agent.id),
        "deployment_object_id": str(obj.id),
        "status": "healthy",
        "stale": False,
    }
    assert answer["health_records"][0]["summary"] is None
    assert answer["observed_at"] == answer["health_records"][0]["updated_at"]


def test_a_word_that_is_too_old_is_shown_and_counts_as_unknown(admin, obj):
    said(obj, "failing", ago=STALE)
    answer = of_object(admin, obj)
    assert (answer["overall_status"], is_wire_time(answer["observed_at"])) == ("unknown", True)
    assert [(word["status"], word["stale"]) for word in answer["health_records"]] == [("failing", True)]
    said(obj, "healthy")
    assert of_object(admin, obj)["overall_status"] == "healthy"
    (line,) = of_stack(admin, obj)["deployment_objects"]
    assert {name: line[name] for name in line if name != "observed_at"} == {
        "id": str(obj.id),
        "status": "healthy",
        "healthy_agents": 1,
        "degraded_agents": 0,
        "failing_agents": 0,
        "unknown_agents": 1,
    }


def test_how_long_a_word_counts_is_a_setting(admin, obj, settings):
    settings.HEALTH_STALE_SECONDS = 20
    said(obj, "failing", ago=timedelta(seconds=19))
    assert of_stack(admin, obj)["overall_status"] == "failing"
    DeploymentHealth.objects.update(updated_at=timezone.now() - timedelta(seconds=21))
    assert of_stack(admin, obj)["overall_status"] == "unknown"


def test_age_goes_by_when_the_broker_heard_not_by_the_agents_clock(admin, obj):
    said(obj, "failing")
    DeploymentHealth.objects.update(checked_at=timezone.now() - timedelta(days=1))
    assert of_object(admin, obj)["overall_status"] == "failing"
    DeploymentHealth.objects.update(
        checked_at=timezone.now() + timedelta(days=1), updated_at=timezone.now() - STALE
    )
    assert of_object(admin, obj)["overall_status"] == "unknown"


def test_a_stack_lists_the_objects_that_anybody_spoke_of_newest_first(admin, obj):
    silent = make_object(obj.stack, manifest("silent"))
    newest = make_object(obj.stack, manifest("newest"))
    elsewhere = make_object(make_stack())
    said(obj, "degraded", "degraded", "failing", "healthy", "unknown")
    said(newest, "healthy")
    said(elsewhere, "failing")
    answer = of_stack(admin, obj)
    assert (answer["stack_id"], answer["overall_status"]) == (str(obj.stack_id), "failing")
    assert [line["id"] for line in answer["deployment_objects"]] == [str(newest.id), str(obj.id)]
    assert str(silent.id) not in json.dumps(answer)
    line = answer["deployment_objects"][1]
    counts = [line[f"{status}_agents"] for status in ("healthy", "degraded", "failing", "unknown")]
    assert (line["status"], counts) == ("failing", [1, 2, 1, 1])
    assert answer["observed_at"] == answer["deployment_objects"][0]["observed_at"]
    assert is_wire_time(answer["observed_at"])


def test_objects_of_a_deleted_stack_count_no_more(admin, obj):
    said(obj, "failing")
    admin.delete(f"/stacks/{obj.stack_id}")
    answer = of_stack(admin, obj)
    assert (answer["overall_status"], answer["deployment_objects"]) == ("unknown", [])


def test_what_does_not_exist_is_of_unknown_health(admin):
    unknown = str(uuid4())
    assert admin.get(f"/deployment-objects/{unknown}/health").json() == {
        "deployment_object_id": unknown,
        "overall_status": "unknown",
        "observed_at": None,
        "health_records": [],
    }
    assert admin.get(f"/stacks/{unknown}/health").json() == {
        "stack_id": unknown,
        "overall_status": "unknown",
        "observed_at": None,
        "deployment_objects": [],
    }


def test_only_admins_read(obj):
    api = make_agent()[1]
    refused(api.get(f"/deployment-objects/{obj.id}/health"), 403, "admin_required")
    refused(api.get(f"/stacks/{obj.stack_id}/health"), 403, "admin_required")


def test_reading_costs_the_same_for_any_number_of_words(admin, obj):
    counts: set[int] = set()
    of_stack(admin, obj)
    for _ in range(2):
        said(obj, "healthy", "failing", "degraded")
        said(make_object(obj.stack, manifest(len(counts))), "healthy")
        with CaptureQueriesContext(connection) as queries:
            of_object(admin, obj)
            of_stack(admin, obj)
        counts.add(len(queries))
    assert len(counts) == 1


def test_words_that_nobody_repeats_are_deleted_after_a_time(obj, settings):
    said(obj, "healthy")
    said(obj, "failing", ago=timedelta(days=8))
    settings.HEALTH_RETENTION_DAYS = 0
    assert forget_old_health() == 0
    settings.HEALTH_RETENTION_DAYS = 7
    assert forget_old_health() == 1
    assert [word.status for word in DeploymentHealth.objects.all()] == ["healthy"]
