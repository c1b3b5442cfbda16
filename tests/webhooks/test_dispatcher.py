"""The broker's own deliveries to receivers that really listen, and what becomes of them by their answers."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import AuditLog
from core.events import SYSTEM
from core.jobs import registered_jobs, stopping
from tests.factories import make_delivery, make_notice, make_webhook
from tests.support.receiver import (
    OK,
    after,
    answer,
    close_connection,
    send_raw,
    setting,
)
from webhooks import transport
from webhooks.dispatcher import deliver_due
from webhooks.endpoints import open_endpoint
from webhooks.models import Delivery, Status, Subscription
from webhooks.services.subscriptions import delete_subscription, rotate_secret, update_subscription
from webhooks.transport import Outcome

pytestmark = pytest.mark.django_db


def deliver_what_is_due_later() -> int:
    """Send everything that is not over, as if its time had come."""
    Delivery.objects.exclude(due_at=None).update(due_at=timezone.now())
    return deliver_due()


def told(webhook: Subscription) -> list[str]:
    """The audit log's actions on the webhook, but for its creation."""
    rows = AuditLog.objects.filter(resource_id=webhook.pk).exclude(action="webhook.created")
    return list(rows.order_by("sequence").values_list("action", flat=True))


def test_an_event_arrives_signed_with_the_headers_and_the_body_that_receivers_know(receiver, now):
    webhook = make_webhook(url=receiver.url("/a?b=c"), auth_header="Bearer token")
    delivery = make_delivery(webhook)

    assert deliver_due() == 1

    (request,) = receiver.received
    assert request.path == "/a?b=c"
    assert request.body == delivery.payload.encode()
    assert {name: request.headers[name] for name in request.headers if name != "webhook-signature"} == {
        "Host": f"127.0.0.1:{receiver.port}",
        "User-Agent": "brokkr",
        "Content-Type": "application/json",
        "Content-Length": str(len(request.body)),
        "Authorization": "Bearer token",
        "X-Brokkr-Event-Type": "stack.deleted",
        "X-Brokkr-Delivery-Id": str(delivery.id),
        "webhook-id": str(delivery.event_id),
        "webhook-timestamp": request.headers["webhook-timestamp"],
    }
    request.verify(open_endpoint(webhook, now=now).secrets[0])


def test_without_a_header_none_is_sent(receiver):
    make_delivery(make_webhook(url=receiver.url()))
    deliver_due()
    assert "Authorization" not in receiver.received[0].headers


def test_while_a_secret_is_replaced_both_verify(receiver, now):
    webhook = make_webhook(url=receiver.url())
    (old,) = open_endpoint(webhook, now=now).secrets
    new = rotate_secret(subscription=webhook, overlap=timedelta(hours=1), actor=SYSTEM, now=now)
    make_delivery(webhook)
    deliver_due()
    for secret in (old, new):
        receiver.received[0].verify(secret)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_a_success(receiver, status):
    receiver.usual = answer(status)
    delivery = make_delivery(make_webhook(url=receiver.url()))
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_error) == (Status.SUCCESS, 1, None)
    assert delivery.completed_at == delivery.last_attempt_at
    assert delivery.completed_at is not None
    assert deliver_what_is_due_later() == 0


RETRIED = [
    (answer(500, b"no room"), "HTTP 500: no room"),
    (answer(503, b"x" * 300), "HTTP 503: " + "x" * 200),
    (answer(408), "HTTP 408: "),
    (answer(425), "HTTP 425: "),
    (answer(429), "HTTP 429: "),
    (answer(302, Location="http://127.0.0.1:1/"), "HTTP 302: "),
    (close_connection, "Request failed: "),
    (send_raw(b"?"), "Request failed: "),
]


@pytest.mark.parametrize(("reply", "error"), RETRIED)
def test_what_may_pass_is_tried_again_with_the_same_id(receiver, reply, error):
    receiver.replies["/hook"] = [reply]
    webhook = make_webhook(url=receiver.url())
    delivery = make_delivery(webhook)

    before = timezone.now()
    assert deliver_due() == 1

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.completed_at) == (Status.FAILED, 1, None)
    assert delivery.last_error.startswith(error)
    assert before + timedelta(seconds=2) <= delivery.next_retry_at <= timezone.now() + timedelta(seconds=2)
    assert not Delivery.objects.due(delivery.next_retry_at - timedelta(milliseconds=1)).exists()

    assert deliver_what_is_due_later() == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_error) == (Status.SUCCESS, 2, None)
    assert set(receiver.ids()) == {str(delivery.event_id)}
    assert told(webhook) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422, 451])
def test_another_4xx_is_the_end(receiver, status):
    receiver.usual = answer(status, b"why")
    webhook = make_webhook(url=receiver.url())
    delivery = make_delivery(webhook)
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.DEAD, 1)
    assert delivery.last_error == f"HTTP {status}: why"
    assert delivery.completed_at is not None
    assert deliver_what_is_due_later() == 0
    details = AuditLog.objects.get(action="webhook.delivery_failed").details
    assert details == {
        "delivery_id": str(delivery.id),
        "event_type": "stack.deleted",
        "attempts": 1,
        "error": f"HTTP {status}: why",
        "status_code": status,
        "delivered_by_agent": False,
    }


@pytest.mark.parametrize(("max_retries", "attempts"), [(0, 1), (1, 1), (2, 2), (5, 5)])
def test_it_is_dead_after_as_many_attempts_as_max_retries_says(receiver, max_retries, attempts):
    receiver.usual = answer(500)
    webhook = make_webhook(url=receiver.url(), max_retries=max_retries)
    delivery = make_delivery(webhook)
    waits = []
    deliver_due()
    while Delivery.objects.exclude(due_at=None).exists():
        delivery.refresh_from_db()
        waits.append(round((delivery.next_retry_at - delivery.last_attempt_at).total_seconds()))
        deliver_what_is_due_later()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.DEAD, attempts)
    assert len(receiver.received) == attempts
    assert waits == [2, 4, 8, 16][: attempts - 1]
    assert told(webhook) == ["webhook.delivery_failed"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_a_pause_gets_it(receiver, status):
    receiver.usual = answer(status, Retry_After="120")
    delivery = make_delivery(make_webhook(url=receiver.url()))
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.next_retry_at == delivery.last_attempt_at + timedelta(seconds=120)


def test_410_disables_the_webhook_and_what_waits_for_it_waits_on(receiver):
    receiver.replies["/hook"] = [answer(500), answer(410)]
    webhook = make_webhook(url=receiver.url())
    waiting = make_delivery(webhook)
    deliver_due()
    # It would be due again after two seconds.
    Delivery.objects.filter(pk=waiting.pk).update(due_at=timezone.now() + timedelta(hours=1))
    gone = make_delivery(webhook)
    deliver_due()
    for row in (webhook, waiting, gone):
        row.refresh_from_db()
    assert (webhook.enabled, gone.status, waiting.status) == (False, Status.DEAD, Status.FAILED)
    assert told(webhook) == ["webhook.disabled", "webhook.delivery_failed"]
    assert deliver_what_is_due_later() == 0


def test_what_waits_for_a_disabled_webhook_is_sent_when_it_is_enabled(receiver):
    webhook = make_webhook(url=receiver.url())
    delivery = make_delivery(webhook)
    update_subscription(subscription=webhook, changes={"enabled": False}, actor=SYSTEM)
    assert deliver_due() == 0
    update_subscription(subscription=webhook, changes={"enabled": True}, actor=SYSTEM)
    assert deliver_due() == 1
    delivery.refresh_from_db()
    assert delivery.status == Status.SUCCESS


def test_what_waits_is_sent_to_where_the_webhook_points_now(receiver):
    webhook = make_webhook(url="http://127.0.0.2/")
    make_delivery(webhook)
    update_subscription(subscription=webhook, changes={"url": receiver.url("/new")}, actor=SYSTEM)
    deliver_due()
    assert [request.path for request in receiver.received] == ["/new"]


def test_the_thread_of_a_request_opens_no_connection_to_the_database(receiver, monkeypatch):
    used = []

    def watched_send(*args: Any, **kwargs: Any) -> Outcome:
        outcome = transport.send(*args, **kwargs)
        used.append(connection.connection)
        return outcome

    monkeypatch.setattr("webhooks.dispatcher.send", watched_send)
    # Each look at the clock asks the database.
    monkeypatch.setattr("core.clock._COMPARED_EVERY_SECONDS", -1.0)
    make_delivery(make_webhook(url=receiver.url()))
    deliver_due()
    assert used == [None]


def test_an_address_that_is_not_allowed_is_a_failed_attempt_that_says_what_to_set():
    delivery = make_delivery(make_webhook(url="http://127.0.0.2/"))
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED
    assert delivery.last_error.startswith("Request failed: the address 127.0.0.2")
    assert "BROKKR_WEBHOOK_ALLOWED_NETWORKS" in delivery.last_error


def test_what_agents_deliver_and_what_was_deleted_is_left_alone(receiver):
    for_agents, deleted = make_webhook(url=receiver.url(), target_labels=["edge"]), make_webhook()
    make_notice()
    delete_subscription(subscription=deleted, actor=SYSTEM)
    assert deliver_due() == 0
    assert Delivery.objects.get(subscription=for_agents).status == Status.PENDING


def test_what_cannot_be_decrypted_is_dead_and_the_others_are_sent(receiver, settings):
    settings.WEBHOOK_ENCRYPTION_KEYS = [b"\1" * 32]
    unreadable = make_webhook(url=receiver.url("/unreadable"))
    settings.WEBHOOK_ENCRYPTION_KEYS = [b"\2" * 32]
    readable = make_webhook(url=receiver.url())
    make_notice()
    assert deliver_due() == 1
    dead = Delivery.objects.get(subscription=unreadable)
    assert (dead.status, dead.attempts) == (Status.DEAD, 0)
    assert "decrypted" in str(dead.last_error)
    assert told(unreadable) == ["webhook.delivery_failed"]
    assert Delivery.objects.get(subscription=readable).status == Status.SUCCESS


def test_without_a_key_everything_waits_and_the_log_says_why(receiver, settings, caplog):
    make_delivery(make_webhook(url=receiver.url()))
    keys = settings.WEBHOOK_ENCRYPTION_KEYS
    settings.WEBHOOK_ENCRYPTION_KEYS = []
    assert deliver_due() == 0
    assert Delivery.objects.get().status == Status.PENDING
    assert "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY" in caplog.text
    settings.WEBHOOK_ENCRYPTION_KEYS = keys
    assert deliver_due() == 1


def test_what_nobody_foresaw_is_a_failed_attempt(monkeypatch, caplog):
    def fail(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr("webhooks.dispatcher.send", fail)
    delivery = make_delivery(make_webhook())
    assert deliver_due() == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.FAILED, 1)
    assert f"delivery {delivery.id} could not be sent" in caplog.text


# --- While requests are under way ------------------------------------------------------------------


def test_what_becomes_due_meanwhile_is_sent_meanwhile(receiver, monkeypatch):
    monkeypatch.setattr("webhooks.dispatcher._LOOK_EVERY_SECONDS", 0.01)
    later_arrived = threading.Event()
    webhook = make_webhook(url=receiver.url())
    receiver.replies["/hook"] = [after(later_arrived, OK), setting(later_arrived, OK)]
    make_delivery(webhook)
    make_notice(at=timezone.now() + timedelta(milliseconds=100))
    assert deliver_due() == 2


def test_a_worker_that_is_told_to_stop_begins_nothing_new_and_waits_a_little_for_the_rest(
    receiver, monkeypatch
):
    monkeypatch.setattr("webhooks.dispatcher._LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr("webhooks.dispatcher._GRACE_SECONDS", 0.05)
    webhook = make_webhook(url=receiver.url())
    let_go = threading.Event()
    receiver.replies["/hook"] = [setting(stopping, after(let_go, OK))]
    held = make_delivery(webhook)
    try:
        assert deliver_due() == 0
        waiting = make_delivery(webhook)
        assert deliver_due() == 0
    finally:
        let_go.set()
        stopping.clear()
    held.refresh_from_db()
    waiting.refresh_from_db()
    assert (held.status, waiting.status) == (Status.ACQUIRED, Status.PENDING)
    assert deliver_what_is_due_later() == 2
    assert receiver.ids().count(str(held.event_id)) == 2


@pytest.mark.parametrize("seconds", [1, 300])
def test_the_job_is_a_long_one_and_runs_as_often_as_the_setting_says_now(settings, seconds):
    (job,) = [job for job in registered_jobs() if job.name == "webhooks.jobs.deliver"]
    settings.WEBHOOK_DELIVERY_INTERVAL_SECONDS = seconds
    assert job.is_long
    assert job.interval == timedelta(seconds=seconds)
