"""Deliveries over the API: of one webhook, of all, and sent again."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import AuditLog
from core.events import SYSTEM
from tests.factories import make_agent, make_delivery, make_held_delivery, make_notice, make_webhook
from tests.support.api import refused
from tests.support.receiver import answer
from webhooks.dispatcher import deliver_due
from webhooks.models import Delivery, Status
from webhooks.services.deliveries import report_result

pytestmark = pytest.mark.django_db


def wire(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def of(webhook) -> str:
    return f"/webhooks/{webhook.id}/deliveries"


def test_a_delivery_is_shown_whole_in_the_list_of_its_webhook(admin, now):
    webhook = make_webhook()
    make_webhook()
    delivery = make_delivery(webhook, at=now)
    assert admin.get(of(webhook)).json() == [
        {
            "id": str(delivery.id),
            "subscription_id": str(webhook.id),
            "event_type": "stack.deleted",
            "event_id": str(delivery.event_id),
            "payload": delivery.payload,
            "target_labels": None,
            "status": "pending",
            "acquired_by": None,
            "acquired_until": None,
            "attempts": 0,
            "last_attempt_at": None,
            "next_retry_at": None,
            "last_error": None,
            "created_at": wire(now),
            "completed_at": None,
        }
    ]


def test_the_feed_shows_all_deliveries_without_payloads_and_with_the_webhooks_name(admin, now):
    webhook = make_webhook(name="tell ci", target_labels=["edge"])
    delivery = make_delivery(webhook, at=now)
    assert admin.get("/webhook-deliveries").json() == [
        {
            "id": str(delivery.id),
            "subscription_id": str(webhook.id),
            "subscription_name": "tell ci",
            "event_type": "stack.deleted",
            "event_id": str(delivery.event_id),
            "status": "pending",
            "attempts": 0,
            "created_at": wire(now),
            "target_labels": ["edge"],
            "acquired_by": None,
            "last_attempt_at": None,
            "next_retry_at": None,
            "last_error": None,
            "completed_at": None,
        }
    ]


def test_in_the_feed_the_brokers_own_have_an_empty_list_of_labels(admin):
    make_delivery(make_webhook())
    assert admin.get("/webhook-deliveries").json()[0]["target_labels"] == []


def test_a_delivery_that_an_agent_holds_says_so(admin):
    agent, _ = make_agent(labels=["edge"])
    held = make_held_delivery(agent, ["edge"])
    (shown,) = admin.get(of(held.subscription)).json()
    assert (shown["status"], shown["acquired_by"]) == ("acquired", str(agent.id))
    assert shown["acquired_until"] == wire(held.due_at)
    assert shown["next_retry_at"] is None


def test_a_failed_delivery_says_why_and_when_it_is_tried_again(admin, receiver):
    receiver.usual = answer(500, b"no room")
    webhook = make_webhook(url=receiver.url())
    make_notice()
    deliver_due()
    (shown,) = admin.get(of(webhook)).json()
    assert (shown["status"], shown["attempts"], shown["last_error"]) == ("failed", 1, "HTTP 500: no room")
    assert shown["next_retry_at"] > shown["last_attempt_at"]
    assert (shown["acquired_until"], shown["completed_at"]) == (None, None)


@pytest.fixture
def many(now):
    """A webhook with five deliveries, the third of them a success, newest last."""
    webhook = make_webhook()
    rows = [make_delivery(webhook, at=now + timedelta(seconds=number)) for number in range(5)]
    Delivery.objects.filter(id=rows[2].id).update(status=Status.SUCCESS, due_at=None, completed_at=now)
    return webhook, [str(row.id) for row in rows]


def paths(webhook) -> list[str]:
    return [of(webhook), "/webhook-deliveries"]


def ids(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()]


def test_lists_are_newest_first_with_limit_and_offset(admin, many):
    webhook, oldest_first = many
    newest_first = oldest_first[::-1]
    for path in paths(webhook):
        assert ids(admin.get(path)) == newest_first
        assert ids(admin.get(f"{path}?limit=2")) == newest_first[:2]
        assert ids(admin.get(f"{path}?limit=2&offset=2")) == newest_first[2:4]
        assert ids(admin.get(f"{path}?offset=4")) == newest_first[4:]
        assert ids(admin.get(f"{path}?offset=99")) == []


def test_pages_follow_one_another_also_after_an_offset(admin, many):
    webhook, oldest_first = many
    for path in paths(webhook):
        page = admin.get(f"{path}?limit=2&offset=1&count=true")
        assert page.headers["X-Total-Count"] == "5"
        following = page.headers["Link"].split(">")[0].removeprefix("</api/v1")
        assert ids(page) + ids(admin.get(following)) == oldest_first[::-1][1:5]


def test_without_a_limit_there_are_fifty(admin, now):
    webhook = make_webhook()
    for _ in range(51):
        make_notice(at=now)
    for path in paths(webhook):
        assert len(ids(admin.get(path))) == 50


def test_lists_are_filtered_by_status(admin, many):
    webhook, rows = many
    for path in paths(webhook):
        assert ids(admin.get(f"{path}?status=success")) == [rows[2]]
        assert ids(admin.get(f"{path}?status=pending")) == [rows[4], rows[3], rows[1], rows[0]]
        assert ids(admin.get(f"{path}?status=dead")) == []


def test_a_status_that_is_none_matches_nothing_of_a_webhook_and_is_refused_by_the_feed(admin, many):
    assert ids(admin.get(f"{of(many[0])}?status=lost")) == []
    refused(admin.get("/webhook-deliveries?status=lost"), 400, "invalid_query")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "cursor=x", "offset=1.5"])
def test_numbers_that_cannot_be_used_are_refused(admin, many, query):
    for path in paths(many[0]):
        refused(admin.get(f"{path}?{query}"), 400, "invalid_query")


def test_the_deliveries_of_an_unknown_webhook_are_404(admin):
    refused(admin.get(f"/webhooks/{uuid4()}/deliveries"), 404, "webhook_not_found")


@pytest.mark.parametrize("rows", [1, 8])
def test_the_number_of_queries_of_the_lists_is_fixed(admin, rows, django_assert_num_queries):
    webhook = make_webhook(target_labels=["a"])
    for _ in range(rows):
        make_webhook(target_labels=["b"])
        make_notice()
    admin.get("/webhooks")
    with django_assert_num_queries(2):
        assert len(ids(admin.get("/webhook-deliveries"))) >= rows
    with django_assert_num_queries(3):
        assert len(ids(admin.get(of(webhook)))) == rows


# --- Sent again -----------------------------------------------------------------------------------


def again(admin, delivery):
    return admin.post(f"/webhook-deliveries/{delivery.id}/redeliver")


@pytest.mark.parametrize("status", [200, 500, 404])
def test_a_delivery_is_sent_again_with_the_same_id_whatever_became_of_it(admin, receiver, status):
    receiver.replies["/hook"] = [answer(status)]
    webhook = make_webhook(url=receiver.url(), max_retries=2)
    delivery = make_delivery(webhook)
    deliver_due()

    response = again(admin, delivery)

    assert response.status_code == 200
    shown = response.json()
    assert (shown["id"], shown["status"], shown["attempts"]) == (str(delivery.id), "pending", 0)
    assert shown["completed_at"] is None
    assert deliver_due() == 1
    assert receiver.ids() == [str(delivery.event_id)] * 2
    assert receiver.received[0].body == receiver.received[1].body
    delivery.refresh_from_db()
    assert delivery.status == Status.SUCCESS
    row = AuditLog.objects.get(action="webhook.redelivered")
    assert (row.actor_label, row.resource_id) == ("test admin", webhook.id)
    assert row.details["delivery_id"] == str(delivery.id)


def test_a_dead_one_has_all_its_attempts_again(admin, receiver):
    receiver.usual = answer(500)
    delivery = make_delivery(make_webhook(url=receiver.url(), max_retries=1))
    deliver_due()
    again(admin, delivery)
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.DEAD, 1)
    assert len(receiver.received) == 2


def test_what_is_being_sent_is_not_sent_a_second_time(admin):
    agent, _ = make_agent(labels=["edge"])
    held = make_held_delivery(agent, ["edge"])
    body = refused(again(admin, held), 409, "delivery_under_way")
    assert body["details"]["id"] == str(held.id)
    Delivery.objects.update(due_at=timezone.now())
    assert again(admin, held).status_code == 200


def test_what_agents_deliver_is_for_agents_again(admin):
    agent, api = make_agent(labels=["edge"])
    held = make_held_delivery(agent, ["edge"])
    report_result(
        delivery_id=held.id,
        agent_id=agent.id,
        success=True,
        status_code=200,
        error=None,
        actor=SYSTEM,
        now=timezone.now(),
    )
    again(admin, held)
    assert [row["id"] for row in api.get(f"/agents/{agent.id}/webhooks/pending").json()] == [str(held.id)]


def test_an_unknown_delivery_is_404(admin):
    refused(admin.post(f"/webhook-deliveries/{uuid4()}/redeliver"), 404, "delivery_not_found")
