"""Subscriptions with a format for people: how they are made, what is sent, and what their page shows."""

import base64
import hashlib
import hmac

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.event_kinds import AgentEventKind
from core.events import SYSTEM, Event
from tests.factories import make_agent, make_notice, make_stack, make_webhook
from tests.support.admin import errors_of, staff
from tests.support.api import refused
from webhooks.endpoints import open_endpoint
from webhooks.formats import Format
from webhooks.models import Delivery, Subscription
from webhooks.services.outbox import write_deliveries

pytestmark = pytest.mark.django_db

BODY = {"name": "tell the team", "url": "https://hooks.slack.com/services/T/B/x", "event_types": ["*"]}


def test_a_format_is_chosen_shown_and_changed(admin):
    made = admin.post("/webhooks", BODY | {"format": "slack"}).json()
    assert made["format"] == "slack"
    path = f"/webhooks/{made['id']}"
    assert admin.put(path, {"format": "teams"}).json()["format"] == "teams"
    assert admin.put(path, {"name": "other"}).json()["format"] == "teams"
    # Left out as it was before there were others.
    assert "format" not in admin.put(path, {"format": "standard"}).json()


@pytest.mark.parametrize("wrong", ["irc", "", 1, "Slack"])
def test_a_format_that_is_none_is_refused(admin, wrong):
    refused(admin.post("/webhooks", BODY | {"format": wrong}), 422, "invalid_request_body")


def test_agents_cannot_deliver_plain_text(admin):
    plain = BODY | {"format": "plain", "target_labels": ["edge"]}
    refused(admin.post("/webhooks", plain), 400, "invalid_webhook")
    made = admin.post("/webhooks", BODY | {"format": "slack", "target_labels": ["edge"]}).json()
    refused(admin.put(f"/webhooks/{made['id']}", {"format": "plain"}), 400, "invalid_webhook")


def test_each_subscription_gets_the_event_in_its_own_format():
    stack = make_stack(name="shop")
    hooks = {each: make_webhook(format=each) for each in Format}
    make_notice("stack.deleted", {"stack_id": stack.pk})
    payloads = {
        each: Delivery.objects.get(subscription=hook, event_type="stack.deleted").payload
        for each, hook in hooks.items()
    }
    assert orjson.loads(payloads[Format.STANDARD])["data"] == {"stack_id": str(stack.pk)}
    assert orjson.loads(payloads[Format.SLACK])["text"] == "Stack shop was deleted"
    assert "Stack shop was deleted" in payloads[Format.TEAMS]
    assert payloads[Format.PLAIN].startswith("Stack shop was deleted\n")


def test_a_delivery_keeps_the_format_in_which_it_was_written():
    hook = make_webhook(format="plain")
    make_notice()
    Subscription.objects.filter(pk=hook.pk).update(format="slack")
    make_notice()
    assert list(Delivery.objects.order_by("created_at").values_list("format", flat=True)) == [
        "plain",
        "slack",
    ]


def test_names_of_many_events_take_no_more_queries_than_those_of_one():
    make_webhook(format="slack")

    def queries(number: int) -> int:
        agents = [make_agent()[0] for _ in range(number)]
        Delivery.objects.all().delete()
        with CaptureQueriesContext(connection) as found:
            write_deliveries(
                [
                    Event(
                        kind=AgentEventKind.AGENT_SILENT,
                        resource_type="agent",
                        resource_id=agent.pk,
                        actor=SYSTEM,
                        data={"agent_id": agent.pk},
                    )
                    for agent in agents
                ]
            )
        return len(found)

    assert queries(1) == queries(5)


def test_the_body_is_sent_with_its_type_and_a_signature_over_its_bytes(admin, receiver, now):
    hook = make_webhook(url=receiver.url(), format="plain")
    assert admin.post(f"/webhooks/{hook.id}/test").status_code == 200
    (request,) = receiver.received
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert request.body.decode().startswith("This is a test of a webhook\n")
    # By hand, because the library of Standard Webhooks reads what it has verified as JSON.
    secret = base64.b64decode(open_endpoint(hook, now=now).secrets[0].removeprefix("whsec_"))
    signed = b".".join(
        [request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.body]
    )
    expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"


def test_the_page_previews_the_format_and_only_for_who_may_see_webhooks(operator):
    page = "webhooks/subscription/preview/"
    assert (
        "Agent edge-01 could not apply stack web-shop" in operator.get(page, format="plain").content.decode()
    )
    assert "plain_text" in operator.get(page, format="slack").content.decode()
    assert operator.get(page, format="irc").status_code == 404
    assert staff("stacks.view_stack", name="bjorn").get(page, format="slack").status_code == 403


def test_the_preview_puts_no_login_form_into_the_page_of_who_is_logged_out(client):
    assert client.get("/admin/webhooks/subscription/preview/?format=slack").status_code == 403


def test_the_form_makes_a_webhook_for_people_and_shows_its_example(operator):
    fields = {
        "name": "team", "url": BODY["url"], "event_types": "*", "enabled": "on",
        "max_retries": "5", "timeout_seconds": "30", "format": "slack",
    }  # fmt: skip
    operator.post("webhooks/subscription/add/", fields)
    hook = Subscription.objects.get()
    assert hook.format == "slack"
    shown = operator.get(f"webhooks/subscription/{hook.pk}/change/").content.decode()
    assert "plain_text" in shown
    assert 'id="webhook-preview"' in shown


def test_the_form_says_that_agents_send_no_plain_text(operator):
    fields = {
        "name": "team", "url": BODY["url"], "event_types": "*", "max_retries": "5", "timeout_seconds": "30",
        "format": "plain", "target_labels": "edge",
    }  # fmt: skip
    (error,) = errors_of(operator.post("webhooks/subscription/add/", fields))
    assert "Agents send every body as JSON" in error


def test_the_page_of_a_delivery_shows_a_plain_body(operator):
    make_webhook(format="plain")
    make_notice()
    delivery = Delivery.objects.get()
    assert "was deleted" in operator.get(f"webhooks/delivery/{delivery.pk}/change/").content.decode()
