"""What /metrics says of webhooks."""

from datetime import timedelta

import pytest

from core.events import SYSTEM
from tests.factories import make_agent, make_delivery, make_notice, make_webhook
from tests.support.api import refused
from tests.support.waits import seconds_since
from webhooks.models import Delivery, Status, Subscription
from webhooks.services.deliveries import claim_due, claim_for_agent
from webhooks.services.subscriptions import delete_subscription

pytestmark = pytest.mark.django_db


def samples(admin) -> dict[str, float]:
    lines = admin.get("/metrics").content.decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line.startswith("brokkr_webhook"))
    }


def test_deliveries_are_counted_by_their_state(admin, now):
    webhook = make_webhook()
    dead, success, *_ = [make_delivery(webhook, at=now) for _ in range(5)]
    Delivery.objects.filter(pk=dead.pk).update(status=Status.DEAD, due_at=None, completed_at=now)
    Delivery.objects.filter(pk=success.pk).update(status=Status.SUCCESS, due_at=None, completed_at=now)
    claim_due(now=now, slots=1, busy={}, per_subscription=1)
    found = samples(admin)
    assert {name: value for name, value in found.items() if name.startswith("brokkr_webhook_deliveries")} == {
        'brokkr_webhook_deliveries{status="pending"}': 2.0,
        'brokkr_webhook_deliveries{status="acquired"}': 1.0,
        'brokkr_webhook_deliveries{status="failed"}': 0.0,
        'brokkr_webhook_deliveries{status="dead"}': 1.0,
    }


def test_the_oldest_that_waits_is_known_by_its_age(admin, now):
    assert samples(admin)["brokkr_webhook_oldest_pending_age_seconds"] == 0.0
    webhook = make_webhook()
    for minutes in (1, 5, 3):
        make_delivery(webhook, at=now - timedelta(minutes=minutes))
    age = samples(admin)["brokkr_webhook_oldest_pending_age_seconds"]
    assert 300 <= age <= 300 + seconds_since(now)


def test_a_deleted_webhook_counts_no_more(admin, now):
    webhook = make_webhook()
    make_delivery(webhook, at=now - timedelta(minutes=5))
    delete_subscription(subscription=webhook, actor=SYSTEM)
    found = samples(admin)
    assert found['brokkr_webhook_deliveries{status="pending"}'] == 0.0
    assert found["brokkr_webhook_oldest_pending_age_seconds"] == 0.0


def test_what_a_limit_holds_back_is_counted_with_its_age(admin, now):
    assert samples(admin)["brokkr_webhook_oldest_held_age_seconds"] == 0.0
    webhook = make_webhook(max_deliveries_per_minute=3)
    for minutes in (5, 3):
        make_notice(at=now - timedelta(minutes=minutes))
    held = samples(admin)
    assert held["brokkr_webhook_held_notices"] == 2.0
    assert 300 <= held["brokkr_webhook_oldest_held_age_seconds"] <= 300 + seconds_since(now)
    delete_subscription(subscription=webhook, actor=SYSTEM)
    deleted = samples(admin)
    assert deleted["brokkr_webhook_held_notices"] == deleted["brokkr_webhook_oldest_held_age_seconds"] == 0.0


def test_what_cannot_be_decrypted_is_counted_by_field_and_by_who_needed_it(admin, now):
    agent, _ = make_agent(labels=["edge"])
    broken = b"\x01" + bytes(40)
    for event_type, target_labels, column in (
        ("agent.silent", None, "secret_sealed"),
        ("agent.recovered", ["edge"], "url_sealed"),
        ("stack.deleted", ["edge"], "auth_header_sealed"),
    ):
        webhook = make_webhook(event_types=[event_type], target_labels=target_labels)
        make_delivery(webhook, event_type=event_type, at=now)
        Subscription.objects.filter(pk=webhook.pk).update(**{column: broken})
    assert not claim_due(now=now, slots=5, busy={}, per_subscription=5)
    assert claim_for_agent(agent_id=agent.pk, now=now) == []
    refused(admin.post(f"/webhooks/{webhook.pk}/test"), 500, "webhook_unreadable")
    refused(admin.post(f"/webhooks/{webhook.pk}/test"), 500, "webhook_unreadable")
    name = "brokkr_webhook_decrypt_failures_total"
    assert {key: value for key, value in samples(admin).items() if key.startswith(name)} == {
        f'{name}{{field="secret",path="broker"}}': 1.0,
        f'{name}{{field="url",path="agent"}}': 1.0,
        f'{name}{{field="auth_header",path="agent"}}': 1.0,
        f'{name}{{field="auth_header",path="test"}}': 2.0,
    }


def test_a_failed_delivery_counts_as_due_once_its_back_off_is_over(admin, now):
    delivery = make_delivery(make_webhook())
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Status.FAILED, attempts=1, due_at=now + timedelta(hours=1)
    )
    assert samples(admin)["brokkr_webhook_oldest_due_age_seconds"] == 0.0
    Delivery.objects.filter(pk=delivery.pk).update(due_at=now - timedelta(minutes=5))
    assert samples(admin)["brokkr_webhook_oldest_due_age_seconds"] >= 300
    assert samples(admin)["brokkr_webhook_oldest_pending_age_seconds"] == 0.0
