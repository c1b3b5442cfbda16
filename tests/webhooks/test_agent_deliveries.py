"""What agents deliver: taken by asking, given back by reporting."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from agents.services.agents import delete_agent
from audit.models import AuditLog
from core.events import SYSTEM
from tests.factories import make_agent, make_delivery, make_held_delivery, make_notice, make_webhook
from tests.support.api import refused
from tests.support.events import is_wire_time
from webhooks.counters import AGENT_DELIVERY_DURATIONS
from webhooks.models import Delivery, Status
from webhooks.services.deliveries import AGENT_BATCH, redeliver
from webhooks.services.subscriptions import update_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def edge():
    """An agent with two labels."""
    return make_agent(labels=["edge", "eu"])


def pending(edge, **options):
    agent, api = edge
    response = api.get(f"/agents/{agent.id}/webhooks/pending", **options)
    assert response.status_code == 200, response.content
    return response.json()


def report(edge, delivery, success=False, **body):
    return edge[1].post(f"/webhook-deliveries/{delivery.id}/result", {"success": success} | body)


def pass_time(seconds: float) -> None:
    """Everything that is due, is due so much earlier."""
    for row in Delivery.objects.exclude(due_at=None):
        row.due_at -= timedelta(seconds=seconds)
        row.save(update_fields=["due_at"])


# --- Taking ---------------------------------------------------------------------------------------


def test_an_agent_gets_what_it_needs_to_deliver(edge):
    webhook = make_webhook(
        url="http://in-cluster/hook",
        auth_header="Bearer token",
        target_labels=["edge"],
        timeout_seconds=10,
        max_retries=3,
    )
    delivery = make_delivery(webhook)
    before = timezone.now()
    assert pending(edge) == [
        {
            "id": str(delivery.id),
            "subscription_id": str(webhook.id),
            "event_type": "stack.deleted",
            "payload": delivery.payload,
            "url": "http://in-cluster/hook",
            "auth_header": "Bearer token",
            "timeout_seconds": 10,
            "max_retries": 3,
            "attempts": 0,
        }
    ]
    delivery.refresh_from_db()
    assert (delivery.status, delivery.acquired_by) == (Status.ACQUIRED, edge[0])
    assert before <= delivery.acquired_until - timedelta(seconds=60) <= timezone.now()


def test_without_a_header_it_is_null(edge):
    make_delivery(make_webhook(target_labels=["edge"]))
    assert pending(edge)[0]["auth_header"] is None


@pytest.mark.parametrize(
    ("labels", "gets"),
    [(["edge"], True), (["eu", "edge"], True), (["edge", "us"], False), (["Edge"], False), (None, False)],
)
def test_an_agent_gets_what_is_for_agents_with_labels_all_of_which_it_carries(edge, labels, gets):
    make_delivery(make_webhook(target_labels=labels))
    assert bool(pending(edge)) == gets


def test_what_one_agent_has_taken_no_other_gets_until_its_lease_runs_out(edge):
    other = make_agent(labels=["edge"])
    delivery = make_delivery(make_webhook(target_labels=["edge"]))
    assert len(pending(edge)) == 1
    assert pending(edge) == pending(other) == []
    pass_time(61)
    assert [row["id"] for row in pending(other)] == [str(delivery.id)]
    delivery.refresh_from_db()
    assert delivery.acquired_by == other[0]
    refused(report(edge, delivery, success=True), 403, "delivery_not_acquired_by_agent")
    assert report(other, delivery, success=True).status_code == 200


def test_at_most_ten_are_taken_the_oldest_first(edge, now):
    make_webhook(target_labels=["edge"])
    make_webhook(target_labels=["eu"])
    events = [make_notice(at=now - timedelta(minutes=age)) for age in range(AGENT_BATCH)]
    oldest = {str(event.id) for event in events[-AGENT_BATCH // 2 :]}
    taken = {row["id"] for row in pending(edge)}
    rows = Delivery.objects.filter(id__in=taken)
    assert {str(event_id) for event_id in rows.values_list("event_id", flat=True)} == oldest
    assert len(taken) == AGENT_BATCH
    assert len(pending(edge)) == AGENT_BATCH


def test_a_disabled_webhooks_deliveries_wait(edge):
    webhook = make_webhook(target_labels=["edge"])
    make_delivery(webhook)
    update_subscription(subscription=webhook, changes={"enabled": False}, actor=SYSTEM)
    assert pending(edge) == []
    update_subscription(subscription=webhook, changes={"enabled": True}, actor=SYSTEM)
    assert len(pending(edge)) == 1


def test_what_cannot_be_decrypted_is_dead_and_left_out(edge, settings):
    settings.WEBHOOK_ENCRYPTION_KEYS = [b"\1" * 32]
    unreadable = make_webhook(target_labels=["edge"])
    settings.WEBHOOK_ENCRYPTION_KEYS = [b"\2" * 32]
    readable = make_webhook(target_labels=["edge"])
    make_notice()
    assert [row["subscription_id"] for row in pending(edge)] == [str(readable.id)]
    assert Delivery.objects.get(subscription=unreadable).status == Status.DEAD
    assert AuditLog.objects.get(action="webhook.delivery_failed").resource_id == unreadable.id


def test_an_admin_takes_on_behalf_of_an_agent(admin, edge):
    delivery = make_delivery(make_webhook(target_labels=["edge"]))
    assert len(admin.get(f"/agents/{edge[0].id}/webhooks/pending").json()) == 1
    delivery.refresh_from_db()
    assert delivery.acquired_by == edge[0]


def test_a_deleted_agent_gets_nothing(admin, edge):
    delete_agent(agent=edge[0], actor=SYSTEM)
    refused(admin.get(f"/agents/{edge[0].id}/webhooks/pending"), 404, "agent_not_found")


def test_others_are_refused(anonymous, edge):
    path = f"/agents/{edge[0].id}/webhooks/pending"
    refused(make_agent()[1].get(path), 403, "agent_pak_mismatch")
    refused(anonymous.get(path), 401, "unauthorized")


# --- Reporting ------------------------------------------------------------------------------------


def test_a_success_ends_it(edge):
    delivery = make_held_delivery(edge[0], ["edge"])
    response = report(edge, delivery, success=True, status_code=200, error=None, duration_ms=12)
    assert response.status_code == 200
    assert response.json() == {
        "status": "success",
        "delivery_id": str(delivery.id),
        "attempts": 1,
        "next_retry_at": None,
    }
    delivery.refresh_from_db()
    assert (delivery.status, delivery.acquired_by, delivery.last_error) == (Status.SUCCESS, edge[0], None)
    assert delivery.completed_at is not None


FAILURES = [
    ({"status_code": 503, "error": "no room"}, "failed", "HTTP 503: no room"),
    ({"status_code": 503, "error": "HTTP 503: no room"}, "failed", "HTTP 503: no room"),
    ({"status_code": 429}, "failed", "HTTP 429: Unknown error"),
    ({"error": "connection refused"}, "failed", "connection refused"),
    ({}, "failed", "Unknown error"),
    ({"error": ""}, "failed", "Unknown error"),
    ({"status_code": None, "error": None, "duration_ms": None}, "failed", "Unknown error"),
    ({"status_code": 404, "error": "gone"}, "dead", "HTTP 404: gone"),
    ({"error": "x" * 3000}, "failed", "x" * 1000),
]


@pytest.mark.parametrize(("body", "status", "error"), FAILURES)
def test_a_failure_is_classified_as_the_brokers_own(edge, body, status, error):
    delivery = make_held_delivery(edge[0], ["edge"])
    response = report(edge, delivery, **body)
    assert response.status_code == 200
    answer = response.json()
    assert (answer["status"], answer["attempts"]) == (status, 1)
    assert is_wire_time(answer["next_retry_at"]) == (status == "failed")
    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_error) == (status, error)


def test_a_failed_one_is_taken_again_after_its_back_off(edge):
    delivery = make_held_delivery(edge[0], ["edge"])
    report(edge, delivery)
    assert pending(edge) == []
    pass_time(2)
    (again,) = pending(edge)
    assert (again["id"], again["attempts"], again["payload"]) == (str(delivery.id), 1, delivery.payload)


def test_it_is_dead_when_the_attempts_are_used_up_with_the_agent_as_its_author(edge):
    delivery = make_held_delivery(edge[0], ["edge"], max_retries=1)
    assert report(edge, delivery, status_code=500).json()["status"] == "dead"
    row = AuditLog.objects.get(action="webhook.delivery_failed")
    assert (row.actor_type, row.actor_id) == ("agent", edge[0].id)
    assert row.details["delivered_by_agent"] is True


def test_410_disables_the_webhook(edge):
    delivery = make_held_delivery(edge[0], ["edge"])
    report(edge, delivery, status_code=410)
    delivery.subscription.refresh_from_db()
    assert delivery.subscription.enabled is False


def test_410_does_not_disable_a_webhook_that_was_changed_since_the_delivery_was_taken(edge):
    delivery = make_held_delivery(edge[0], ["edge"])
    webhook = delivery.subscription
    update_subscription(subscription=webhook, changes={"url": "https://new.example.com/"}, actor=SYSTEM)
    assert report(edge, delivery, status_code=410).json()["status"] == "dead"
    webhook.refresh_from_db()
    assert webhook.enabled is True


def test_only_the_holder_reports_and_only_once(admin, edge):
    delivery = make_held_delivery(edge[0], ["edge"])
    other = make_agent(labels=["edge"])
    refused(report(other, delivery, success=True), 403, "delivery_not_acquired_by_agent")
    refused(report((None, admin), delivery, success=True), 403, "agent_pak_required")
    assert report(edge, delivery, success=True).status_code == 200
    refused(report(edge, delivery, success=True), 403, "delivery_not_acquired_by_agent")
    path = f"/webhook-deliveries/{uuid4()}/result"
    refused(edge[1].post(path, {"success": True}), 404, "delivery_not_found")


def test_what_the_broker_delivers_no_agent_reports(edge):
    refused(report(edge, make_delivery(make_webhook())), 403, "delivery_not_acquired_by_agent")


def test_a_late_report_counts_when_nobody_else_has_taken_it(edge):
    delivery = make_held_delivery(edge[0], ["edge"])
    pass_time(3600)
    assert report(edge, delivery, success=True).json()["status"] == "success"


def test_a_report_on_what_was_sent_anew_is_refused(edge, now):
    delivery = make_held_delivery(edge[0], ["edge"])
    pass_time(3600)
    redeliver(delivery_id=delivery.id, actor=SYSTEM, now=now)
    refused(report(edge, delivery, success=True), 403, "delivery_not_acquired_by_agent")


@pytest.mark.parametrize(
    "body", [{}, {"success": "yes"}, {"success": None}, {"success": True, "status_code": "200"}, []]
)
def test_a_body_of_another_shape_is_422(edge, body):
    delivery = make_held_delivery(edge[0], ["edge"])
    path = f"/webhook-deliveries/{delivery.id}/result"
    refused(edge[1].post(path, body), 422, "invalid_request_body")


def test_the_duration_goes_to_the_metrics(edge):
    def seconds() -> float:
        (metric,) = AGENT_DELIVERY_DURATIONS.collect()
        return next(sample.value for sample in metric.samples if sample.name.endswith("_sum"))

    before = seconds()
    report(edge, make_held_delivery(edge[0], ["edge"]), success=True, duration_ms=1500)
    assert seconds() == pytest.approx(before + 1.5)
