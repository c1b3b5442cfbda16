"""A subscription gets at most so many deliveries a minute, and one summary of what is more."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from core.events import SYSTEM
from tests.factories import make_agent, make_notice, make_webhook
from tests.support.api import refused
from webhooks.models import Delivery, HeldNotice, Subscription
from webhooks.services.deliveries import claim_due, claim_for_agent
from webhooks.services.limits import let_go_of_held
from webhooks.services.retention import remove_orphaned
from webhooks.services.subscriptions import delete_subscription, update_subscription

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def told(webhook: Subscription) -> list[str]:
    """The types of what was let go, in the order in which it was written."""
    rows = Delivery.objects.filter(subscription=webhook).order_by("id")
    return list(rows.values_list("event_type", flat=True))


def summary_of(webhook: Subscription) -> dict[str, Any]:
    (row,) = Delivery.objects.filter(subscription=webhook, event_type="webhook.summary")
    body = orjson.loads(row.payload)
    assert (body["id"], body["event_type"]) == (str(row.event_id), "webhook.summary")
    data: dict[str, Any] = body["data"]
    return data


def test_what_is_within_the_limit_is_told_as_it_is(now):
    webhook = make_webhook(max_deliveries_per_minute=3)
    events = [make_notice() for _ in range(3)]
    assert let_go_of_held(now=now) == 3
    rows = Delivery.objects.filter(subscription=webhook)
    assert {row.event_id for row in rows} == {event.id for event in events}
    assert {(row.due_at, row.created_at) for row in rows} == {(now, now)}
    assert not HeldNotice.objects.exists()


def test_what_is_more_arrives_as_one_summary_that_counts_and_names_it(now):
    webhook = make_webhook(max_deliveries_per_minute=3)
    alone = [make_notice("stack.deleted", at=now - MINUTE) for _ in range(2)]
    held = [make_notice("deployment.failed", at=now + timedelta(seconds=n)) for n in range(4)]
    held.append(make_notice("stack.deleted", at=now + MINUTE))
    assert let_go_of_held(now=now) == 3
    assert told(webhook) == ["stack.deleted", "stack.deleted", "webhook.summary"]
    assert {row.event_id for row in Delivery.objects.exclude(event_type="webhook.summary")} == {
        event.id for event in alone
    }
    data = summary_of(webhook)
    assert data["count"] == 5
    assert data["event_types"] == {"deployment.failed": 4, "stack.deleted": 1}
    assert data["subscription_id"] == str(webhook.pk)
    assert [event["id"] for event in data["events"]] == [str(event.id) for event in held]
    assert data["first_at"] == data["events"][0]["timestamp"]
    assert data["last_at"] == data["events"][-1]["timestamp"]


def test_a_full_minute_holds_everything_until_there_is_room(now):
    webhook = make_webhook(max_deliveries_per_minute=2)
    for _ in range(9):
        make_notice()
    assert let_go_of_held(now=now) == 2
    for _ in range(5):
        make_notice()
    assert let_go_of_held(now=now + MINUTE - timedelta(microseconds=1)) == 0
    assert HeldNotice.objects.count() == 5
    assert let_go_of_held(now=now + MINUTE) == 2
    assert told(webhook) == ["stack.deleted", "webhook.summary"] * 2
    counts = [
        orjson.loads(row.payload)["data"]["count"]
        for row in Delivery.objects.filter(event_type="webhook.summary").order_by("id")
    ]
    assert counts == [8, 4]


def test_a_summary_names_the_first_hundred_and_counts_all(now):
    webhook = make_webhook(max_deliveries_per_minute=1)
    for _ in range(120):
        make_notice()
    let_go_of_held(now=now)
    assert told(webhook) == ["webhook.summary"]
    data = summary_of(webhook)
    assert (data["count"], len(data["events"])) == (120, 100)


def test_others_are_not_held_and_filters_hold_as_ever(now):
    limited = make_webhook(event_types=["stack.*"], max_deliveries_per_minute=1)
    free = make_webhook()
    make_notice("deployment.created")
    make_notice("stack.deleted")
    assert told(free) == ["deployment.created", "stack.deleted"]
    assert let_go_of_held(now=now) == 1
    assert told(limited) == ["stack.deleted"]


def test_who_gives_the_limit_up_is_told_everything_that_was_held(now):
    webhook = make_webhook(max_deliveries_per_minute=1)
    for _ in range(4):
        make_notice()
    update_subscription(subscription=webhook, changes={"max_deliveries_per_minute": None}, actor=SYSTEM)
    assert let_go_of_held(now=now) == 4
    assert told(webhook) == ["stack.deleted"] * 4


def test_the_broker_sends_what_is_let_go_and_the_summary_with_it(now):
    make_webhook(max_deliveries_per_minute=1)
    for _ in range(2):
        make_notice()
    assert claim_due(now=now, slots=10, busy={}, per_subscription=10) == []
    let_go_of_held(now=now)
    (claim,) = claim_due(now=now, slots=10, busy={}, per_subscription=10)
    assert dict(claim.message.headers)["X-Brokkr-Event-Type"] == "webhook.summary"


def test_agents_deliver_the_summary_where_they_deliver_the_rest(now):
    agent, _ = make_agent(labels=["edge"])
    make_webhook(max_deliveries_per_minute=1, target_labels=["edge"])
    for _ in range(2):
        make_notice()
    let_go_of_held(now=now)
    (claim,) = claim_for_agent(agent_id=agent.id, now=now)
    assert claim.delivery.event_type == "webhook.summary"


def test_nothing_is_let_go_for_a_deleted_webhook_and_its_notices_are_removed(now):
    webhook = make_webhook(max_deliveries_per_minute=1)
    make_notice()
    delete_subscription(subscription=webhook, actor=SYSTEM)
    assert let_go_of_held(now=now) == 0
    assert remove_orphaned() == 1
    assert not HeldNotice.objects.exists()


def test_looking_for_held_notices_is_one_query_when_there_are_none(now):
    with CaptureQueriesContext(connection) as queries:
        let_go_of_held(now=now)
    assert len(queries) == 1


@pytest.mark.parametrize("limit", [0, 1001, -1])
def test_a_limit_out_of_bounds_is_refused(admin, limit):
    body = {"name": "hook", "url": "http://127.0.0.1/hook", "event_types": ["*"]}
    refused(admin.post("/webhooks", body | {"max_deliveries_per_minute": limit}), 422, "invalid_webhook")


def test_the_database_refuses_it_too():
    webhook = make_webhook()
    with pytest.raises(IntegrityError):
        Subscription.objects.filter(pk=webhook.pk).update(max_deliveries_per_minute=0)


def test_the_limit_is_set_shown_and_ended_by_the_api(admin):
    body = {"name": "hook", "url": "http://127.0.0.1/hook", "event_types": ["*"]}
    made = admin.post("/webhooks", body | {"max_deliveries_per_minute": 30}).json()
    path = f"/webhooks/{made['id']}"
    assert made["max_deliveries_per_minute"] == 30
    assert admin.put(path, {"enabled": True}).json()["max_deliveries_per_minute"] == 30
    assert admin.put(path, {"max_deliveries_per_minute": None}).json()["max_deliveries_per_minute"] is None
    assert admin.get(path).json()["max_deliveries_per_minute"] is None
