"""Who takes a delivery holds it for a while; then it is free again, with the same id."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.events import SYSTEM
from tests.factories import make_delivery, make_notice, make_webhook
from webhooks.models import Delivery, Status
from webhooks.services.deliveries import claim_due, record_outcomes
from webhooks.services.subscriptions import update_subscription
from webhooks.transport import Outcome

pytestmark = pytest.mark.django_db

SUCCESS = Outcome(status_code=200)


def claim(now, slots=50, busy=None, per_subscription=10, **fairness):
    return claim_due(now=now, slots=slots, busy=busy or {}, per_subscription=per_subscription, **fairness)


@pytest.mark.parametrize(("timeout", "seconds"), [(1, 60), (30, 60), (31, 61), (300, 330)])
def test_a_lease_is_a_minute_or_longer_than_the_request_may_take(now, timeout, seconds):
    delivery = make_delivery(make_webhook(timeout_seconds=timeout), at=now)
    (taken,) = claim(now)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.acquired_by) == (Status.ACQUIRED, None)
    assert delivery.acquired_until == now + timedelta(seconds=seconds)
    assert taken.message.timeout_seconds == timeout


def test_what_is_held_is_not_taken_until_the_lease_has_run_out(now):
    delivery = make_delivery(make_webhook(), at=now)
    (first,) = claim(now)
    end = now + timedelta(seconds=60)
    assert claim(end - timedelta(microseconds=1)) == []
    (second,) = claim(end)
    assert first.delivery_id == second.delivery_id == delivery.id
    assert first.message.headers["webhook-id"] == second.message.headers["webhook-id"]
    assert second.attempts == 0


def test_a_lease_that_ran_out_consumes_no_attempt_however_often(now):
    make_delivery(make_webhook(max_retries=2), at=now)
    for number in range(20):
        (taken,) = claim(now + timedelta(minutes=number))
        assert taken.attempts == 0


def test_410_does_not_disable_a_webhook_that_was_changed_since_the_delivery_was_taken(now):
    webhook = make_webhook()
    delivery = make_delivery(webhook, at=now)
    (taken,) = claim(clock.now())
    update_subscription(subscription=webhook, changes={"url": "https://new.example.com/"}, actor=SYSTEM)
    record_outcomes(outcomes=[(taken, Outcome(status_code=410))], now=clock.now())
    webhook.refresh_from_db()
    delivery.refresh_from_db()
    assert (webhook.enabled, delivery.status) == (True, Status.DEAD)


def test_who_lost_the_lease_records_nothing(now):
    delivery = make_delivery(make_webhook(), at=now)
    (lost,) = claim(now)
    (held,) = claim(now + timedelta(minutes=1))
    record_outcomes(outcomes=[(lost, Outcome(status_code=500))], now=now)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.ACQUIRED, 0)
    record_outcomes(outcomes=[(held, SUCCESS)], now=now)
    record_outcomes(outcomes=[(held, Outcome(error="again"))], now=now)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_error) == (Status.SUCCESS, 1, None)


def test_the_outcome_of_what_was_removed_meanwhile_is_nobodys(now):
    delivery = make_delivery(make_webhook(), at=now)
    (taken,) = claim(now)
    delivery.delete()
    record_outcomes(outcomes=[(taken, SUCCESS)], now=now)
    assert not Delivery.objects.exists()


def test_the_oldest_of_a_webhook_is_taken_first(now):
    webhook = make_webhook()
    times = [now - timedelta(seconds=age) for age in (5, 30, 10)]
    events = {at: make_notice(at=at) for at in times}
    taken = claim(now, per_subscription=2)
    assert [each.message.headers["webhook-id"] for each in taken] == [
        str(events[at].id) for at in sorted(times)[:2]
    ]
    assert {each.subscription_id for each in taken} == {webhook.id}


def test_the_webhook_that_has_waited_the_longest_comes_first_and_none_gets_more_than_its_share(now):
    late = make_webhook(event_types=["stack.deleted"])
    early = make_webhook(event_types=["agent.silent"])
    for age in range(5):
        make_notice("stack.deleted", at=now - timedelta(seconds=10 + age))
        make_notice("agent.silent", at=now - timedelta(seconds=60 + age))
    taken = claim(now, slots=3, per_subscription=2)
    assert [each.subscription_id for each in taken] == [early.id, early.id, late.id]


def test_what_is_under_way_counts_towards_the_share(now):
    webhook = make_webhook()
    for _ in range(5):
        make_notice(at=now)
    assert len(claim(now, busy={webhook.id: 9})) == 1
    assert claim(now, busy={webhook.id: 10}) == []


def test_looking_when_nothing_is_due_is_one_statement(now, django_assert_num_queries):
    for _ in range(3):
        make_webhook()
    make_notice(at=now + timedelta(hours=1))
    with django_assert_num_queries(1):
        assert claim(now) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "success"},
        {"status": "dead", "due_at": None},
        {"due_at": None},
        {"lease": "0190f000-0000-7000-8000-000000000000"},
        {"status": "lost"},
    ],
)
def test_the_database_refuses_a_state_that_is_none(wrong):
    delivery = make_delivery(make_webhook())
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(**wrong)


def test_the_last_slots_are_for_webhooks_with_nothing_under_way(now):
    busy, idle, other = (make_webhook(event_types=["stack.*"]) for _ in range(3))
    for _ in range(4):
        make_notice(at=now)
    taken = claim(now, slots=4, busy={busy.id: 1}, per_subscription=4, reserve=2)
    assert [each.subscription_id for each in taken] == [busy.id, busy.id, idle.id, other.id]
    assert claim(now, slots=2, busy={busy.id: 3, idle.id: 1, other.id: 1}, reserve=2) == []


def test_a_webhook_that_did_not_answer_has_one_request_at_a_time(now):
    webhook = make_webhook()
    for _ in range(3):
        make_notice(at=now)
    assert len(claim(now, unanswering={webhook.id})) == 1
    assert claim(now, busy={webhook.id: 1}, unanswering={webhook.id}) == []
