"""PATCH /agents/{id}/health-status."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.events import SYSTEM
from health.models import DeploymentHealth
from health.services import HealthReport, report_health
from tests.factories import make_agent, make_generator, make_object, make_stack, manifest
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db

AT = "2026-11-24T09:45:00.123456Z"
SUMMARY = {
    "pods_ready": 1,
    "pods_total": 2,
    "conditions": ["ImagePullBackOff"],
    "resources": [
        {"kind": "Deployment", "name": "web", "namespace": "default", "ready": False, "message": None}
    ],
}


@pytest.fixture
def agent():
    return make_agent()


@pytest.fixture
def obj():
    return make_object(make_stack())


def record(obj, status="healthy", **fields) -> dict[str, Any]:
    return {"id": str(obj.id), "status": status, "checked_at": AT} | fields


def report(agent, *records: dict[str, Any], api=None):
    owner, own_api = agent
    return (api or own_api).patch(f"/agents/{owner.id}/health-status", {"deployment_objects": list(records)})


def test_a_report_is_kept_with_its_summary_and_answered_with_an_empty_200(agent, obj):
    before = timezone.now()
    response = report(agent, record(obj, "degraded", summary=SUMMARY))
    assert (response.status_code, response.content) == (200, b"")
    kept = DeploymentHealth.objects.get()
    assert (kept.agent_id, kept.deployment_object_id) == (agent[0].id, obj.id)
    assert kept.status == "degraded"
    assert kept.checked_at == datetime(2026, 11, 24, 9, 45, 0, 123456, tzinfo=UTC)
    assert before <= kept.updated_at <= timezone.now()
    assert json.loads(kept.summary) == SUMMARY


def test_the_summary_may_be_null_absent_or_without_resources(agent, obj):
    short = {"pods_ready": 0, "pods_total": 0, "conditions": []}
    for summary, kept in (({}, None), ({"summary": None}, None), ({"summary": short}, short)):
        assert report(agent, record(obj, **summary)).status_code == 200
        text = DeploymentHealth.objects.get().summary
        assert (json.loads(text) if text else None) == (kept and kept | {"resources": None})


def test_the_next_report_replaces_the_first_and_nothing_of_it_stays(agent, obj):
    report(agent, record(obj, "failing", summary=SUMMARY))
    first = DeploymentHealth.objects.get()
    report(agent, record(obj, "healthy", checked_at="2026-11-24T10:00:00+01:00"))
    second = DeploymentHealth.objects.get()
    assert (second.id, second.created_at) == (first.id, first.created_at)
    assert (second.status, second.summary) == ("healthy", None)
    assert second.checked_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert second.updated_at > first.updated_at


def test_agents_do_not_replace_each_others_words(agent, obj):
    other = make_agent()
    report(agent, record(obj, "healthy"))
    report(other, record(obj, "failing"))
    assert dict(DeploymentHealth.objects.values_list("agent_id", "status")) == {
        agent[0].id: "healthy",
        other[0].id: "failing",
    }


def test_of_two_on_one_object_in_a_batch_the_last_counts(agent, obj):
    assert report(agent, record(obj, "failing"), record(obj, "healthy")).status_code == 200
    assert DeploymentHealth.objects.get().status == "healthy"


def test_an_empty_batch_is_fine(agent):
    assert report(agent).status_code == 200


def test_an_admin_may_report_for_an_agent(agent, obj, admin):
    assert report(agent, record(obj), api=admin).status_code == 200
    assert DeploymentHealth.objects.get().agent_id == agent[0].id


def test_objects_of_deleted_stacks_are_accepted(agent, obj, admin):
    admin.delete(f"/stacks/{obj.stack_id}")
    assert report(agent, record(obj)).status_code == 200


def test_others_are_403_and_unknown_or_deleted_agents_404(agent, obj, admin):
    for api in (make_agent()[1], make_generator()[1]):
        refused(report(agent, record(obj), api=api), 403, "agent_pak_mismatch")
    path = f"/agents/{uuid4()}/health-status"
    refused(admin.patch(path, {"deployment_objects": [record(obj)]}), 404, "agent_not_found")
    admin.delete(f"/agents/{agent[0].id}")
    refused(report(agent, record(obj), api=admin), 404, "agent_not_found")


def test_a_status_that_is_none_refuses_the_whole_batch(agent, obj):
    other = make_object(make_stack())
    body = refused(report(agent, record(other), record(obj, "Healthy")), 422, "invalid_health_record")
    assert body["details"] == {"index": 1, "status": "Healthy"}
    assert not DeploymentHealth.objects.exists()


def test_an_unknown_object_refuses_the_whole_batch(agent, obj):
    unknown = record(obj) | {"id": str(uuid4())}
    body = refused(report(agent, record(obj), unknown), 422, "foreign_key_violation")
    assert body["details"]["deployment_object_id"] == unknown["id"]
    assert not DeploymentHealth.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "7"},
        {"status": None},
        {"status": 1},
        {"checked_at": None},
        {"checked_at": "yesterday"},
        {"checked_at": "2026-11-24T09:45:00"},
        {"checked_at": 1795513500},
        {"summary": "{}"},
        {"summary": {}},
        {"summary": SUMMARY | {"pods_ready": "1"}},
        {"summary": SUMMARY | {"pods_ready": -1}},
        {"summary": SUMMARY | {"conditions": "none"}},
        {"summary": SUMMARY | {"resources": [{}]}},
    ],
)
def test_a_wrong_shape_is_422(agent, obj, changes):
    refused(report(agent, record(obj) | changes), 422, "invalid_request_body")


@pytest.mark.parametrize("body", [{}, {"deployment_objects": None}, {"deployment_objects": {}}, []])
def test_a_body_without_objects_is_422(agent, body):
    refused(agent[1].patch(f"/agents/{agent[0].id}/health-status", body), 422, "invalid_request_body")


def test_changes_are_audited_with_their_author_and_repeats_are_not(agent, obj):
    with recorded_events() as events, recorded_audit() as rows:
        for status in ("healthy", "healthy", "failing", "failing", "healthy"):
            report(agent, record(obj, status))
    assert [(row.action, row.resource_id, row.actor_id) for row in rows] == [
        ("health.changed", obj.id, agent[0].id)
    ] * 2
    named = {"agent_id": str(agent[0].id), "stack_id": str(obj.stack_id)}
    assert [row.details for row in rows] == [
        named | {"from": "healthy", "to": "failing"},
        named | {"from": "failing", "to": "healthy"},
    ]
    assert notices(events) == []


@pytest.mark.parametrize(("status", "announced"), [("healthy", 0), ("degraded", 1), ("unknown", 1)])
def test_a_first_word_is_announced_unless_it_is_what_everybody_expects(agent, obj, status, announced):
    with recorded_audit() as rows:
        report(agent, record(obj, status))
    assert [row.details["from"] for row in rows] == [None] * announced


def test_the_number_of_statements_does_not_grow_with_that_of_the_reports(agent):
    stack = make_stack()
    objects = [make_object(stack, manifest(number)) for number in range(12)]
    report(agent)
    counts = []
    for batch, status in ((objects[:1], "failing"), (objects, "degraded"), (objects, "healthy")):
        with CaptureQueriesContext(connection) as queries:
            report(agent, *(record(obj, status) for obj in batch))
        counts.append(len(queries))
        upserts = [query for query in queries if "ON CONFLICT" in query["sql"]]
        assert len(upserts) == 1
    assert len(set(counts)) == 1


def test_a_deleted_agents_words_are_forgotten(agent, obj, admin):
    report(agent, record(obj))
    admin.delete(f"/agents/{agent[0].id}")
    assert not DeploymentHealth.objects.exists()


def test_the_service_goes_by_the_time_it_is_given(agent, obj):
    now = timezone.now() - timedelta(days=1)
    word = HealthReport(obj.id, "healthy", timezone.now())
    report_health(agent_id=agent[0].id, reports=[word], actor=SYSTEM, now=now)
    assert DeploymentHealth.objects.get().updated_at == now
