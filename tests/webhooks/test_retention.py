"""What grows old is ended or removed, and nothing else."""

from datetime import timedelta

import pytest

from audit.models import AuditLog
from core.events import SYSTEM
from core.jobs import registered_jobs
from tests.factories import make_agent, make_delivery, make_held_delivery, make_webhook
from webhooks.models import Delivery, Status
from webhooks.services.deliveries import redeliver
from webhooks.services.retention import WAITED_IN_VAIN, end_waiting, remove_old, remove_orphaned
from webhooks.services.subscriptions import delete_subscription, update_subscription

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
EVENT, OTHER_EVENT = "agent.silent", "agent.recovered"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr("webhooks.services.retention._BATCH", 2)
    monkeypatch.setattr("core.retention.STEP", 2)


def over(webhook, at, status=Status.SUCCESS, **notice):
    delivery = make_delivery(webhook, at=at, **notice)
    Delivery.objects.filter(pk=delivery.pk).update(status=status, due_at=None, completed_at=at)
    return delivery


def left() -> set[object]:
    return set(Delivery.objects.values_list("pk", flat=True))


def test_what_is_over_and_old_is_removed_in_batches(now):
    webhook = make_webhook()
    old = now - WEEK - timedelta(seconds=1)
    for _ in range(3):
        over(webhook, old)
        over(webhook, old, Status.DEAD)
    young = [over(webhook, now - WEEK), over(webhook, now, Status.DEAD)]
    open_ones = [make_delivery(webhook, at=old), make_delivery(webhook, at=now)]
    assert remove_old(now=now, keep=WEEK) == 6
    assert left() == {row.pk for row in young + open_ones}
    assert remove_old(now=now, keep=WEEK) == 0


def test_a_run_ends_after_some_batches_and_the_next_goes_on(now, monkeypatch):
    monkeypatch.setattr("core.retention.MAX_STEPS", 1)
    monkeypatch.setattr("webhooks.services.retention.MAX_STEPS", 1)
    finished, waiting = make_webhook(event_types=[EVENT]), make_webhook(event_types=[OTHER_EVENT])
    old = now - WEEK - timedelta(seconds=1)
    for _ in range(3):
        over(finished, old, event_type=EVENT)
        make_delivery(waiting, event_type=OTHER_EVENT, at=old)
    update_subscription(subscription=waiting, changes={"enabled": False}, actor=SYSTEM)
    assert [remove_old(now=now, keep=WEEK) for _ in range(3)] == [2, 1, 0]
    assert [end_waiting(now=now, keep=WEEK) for _ in range(3)] == [2, 1, 0]
    delete_subscription(subscription=waiting, actor=SYSTEM)
    assert [remove_orphaned() for _ in range(3)] == [2, 1, 0]


def test_what_somebody_asked_to_send_again_is_not_old(now):
    delivery = over(make_webhook(), now - 2 * WEEK)
    redeliver(delivery_id=delivery.pk, actor=SYSTEM, now=now)
    assert remove_old(now=now, keep=WEEK) == 0
    assert end_waiting(now=now, keep=WEEK) == 0


def test_the_deliveries_of_deleted_webhooks_are_removed_at_any_age(now):
    kept, deleted = make_webhook(), make_webhook()
    for _ in range(3):
        make_delivery(deleted, at=now)
    delete_subscription(subscription=deleted, actor=SYSTEM)
    assert remove_orphaned() == 3
    assert set(Delivery.objects.values_list("subscription", flat=True)) == {kept.pk}


def test_what_its_holder_has_forgotten_dies_too(now):
    agent, _ = make_agent(labels=["edge"])
    held, still_held = (make_held_delivery(agent, ["edge"]) for _ in range(2))
    Delivery.objects.filter(pk=held.pk).update(due_at=now - 2 * WEEK)
    assert end_waiting(now=now, keep=WEEK) == 1
    held.refresh_from_db()
    assert (held.status, held.last_error) == (Status.DEAD, WAITED_IN_VAIN)
    still_held.refresh_from_db()
    assert still_held.status == Status.ACQUIRED


def test_what_has_waited_too_long_for_an_agent_or_a_disabled_webhook_dies(now):
    old = now - WEEK - timedelta(seconds=1)
    for_agents = make_webhook(event_types=[EVENT], target_labels=["nobody"])
    disabled = make_webhook(event_types=[OTHER_EVENT])
    dying = [make_delivery(for_agents, event_type=EVENT, at=old) for _ in range(2)]
    dying.append(make_delivery(disabled, event_type=OTHER_EVENT, at=old))
    waiting = [
        make_delivery(for_agents, event_type=EVENT, at=now),
        make_delivery(disabled, event_type=OTHER_EVENT, at=now - WEEK),
    ]
    update_subscription(subscription=disabled, changes={"enabled": False}, actor=SYSTEM)
    assert end_waiting(now=now, keep=WEEK) == 3
    for row in dying:
        row.refresh_from_db()
        assert (row.status, row.attempts, row.last_error) == (Status.DEAD, 0, WAITED_IN_VAIN)
    for row in waiting:
        row.refresh_from_db()
        assert row.status == Status.PENDING
    assert AuditLog.objects.filter(action="webhook.delivery_failed").count() == 3


def test_what_the_broker_can_deliver_itself_never_dies_of_waiting(now):
    make_delivery(make_webhook(), at=now - 100 * WEEK)
    assert end_waiting(now=now, keep=WEEK) == 0


@pytest.mark.parametrize("days", [7, 30])
def test_the_jobs_go_by_the_setting(settings, now, days):
    settings.WEBHOOK_RETENTION_DAYS = days
    webhook = make_webhook()
    ended = over(webhook, now - timedelta(days=8))
    waiting = make_delivery(make_webhook(target_labels=["nobody"]), at=now - timedelta(days=8))
    for job in registered_jobs():
        if job.name.startswith("webhooks.jobs.") and not job.is_long:
            job.run()
    waiting.refresh_from_db()
    is_old = days == 7
    assert (ended.pk in left()) is not is_old
    # Now it is over, and kept as long as anything that is over.
    assert waiting.status == (Status.DEAD if is_old else Status.PENDING)
