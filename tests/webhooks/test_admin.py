"""Webhooks and their deliveries in the admin."""

import html
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent, make_delivery, make_held_delivery, make_stack, make_webhook
from tests.support.admin import actions_by, chosen_in, errors_of, form_fields, messages_of, staff, titles_of
from tests.support.receiver import OK, Reply, answer
from webhooks.dispatcher import deliver_due
from webhooks.endpoints import open_endpoint
from webhooks.models import Delivery, Status, Subscription

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "webhooks/subscription/"
DELIVERIES = "webhooks/delivery/"
CONFIRMED = {"confirmed": "yes"}
NEW = {
    "name": "tell ci",
    "enabled": "on",
    "url": "https://ci.example.com/hook",
    "event_types": "deployment.*\r\n\r\n stack.deleted ",
    "max_retries": "5",
    "timeout_seconds": "30",
}


def shown_secret(page: Any) -> str:
    found = re.search(r'value="(whsec_[^"]+)"', page.content.decode())
    assert found is not None
    return html.unescape(found[1])


def secrets_of(webhook: Subscription) -> tuple[str, ...]:
    return open_endpoint(Subscription.objects.get(pk=webhook.pk), now=timezone.now()).secrets


def page_of(row: Subscription | Delivery) -> str:
    return f"{LIST if isinstance(row, Subscription) else DELIVERIES}{row.pk}"


# --- Webhooks -------------------------------------------------------------------------------------


def test_a_webhook_is_created_and_its_secret_shown_once(operator, now):
    stack_id, agent_id = str(make_stack().pk), str(make_agent()[0].pk)
    page = operator.post(
        f"{LIST}add/",
        NEW
        | {
            "auth_header": "Bearer x",
            "stack_id": stack_id,
            "agent_id": agent_id,
            "target_labels": "edge\neu",
            "max_retries": "3",
            "timeout_seconds": "7",
            "max_deliveries_per_minute": "60",
        },
    )
    webhook = Subscription.objects.get()
    assert secrets_of(webhook) == (shown_secret(page),)
    assert b"shown only now" in page.content
    endpoint = open_endpoint(webhook, now=now)
    assert (endpoint.url, endpoint.auth_header) == ("https://ci.example.com/hook", "Bearer x")
    assert webhook.event_types == ["deployment.*", "stack.deleted"]
    assert webhook.target_labels == ["edge", "eu"]
    assert {name: str(value) for name, value in webhook.filters.items()} == {
        "stack_id": stack_id,
        "agent_id": agent_id,
    }
    assert (webhook.enabled, webhook.max_retries, webhook.timeout_seconds) == (True, 3, 7)
    assert webhook.max_deliveries_per_minute == 60
    assert actions_by(operator.user) == ["webhook.created"]
    again = operator.get(f"{page_of(webhook)}/change/").content.decode()
    for secret in ("whsec_", "ci.example.com", "Bearer x"):
        assert secret not in again


def test_the_timeout_is_read_and_written_in_words(operator):
    webhook = make_webhook(timeout_seconds=90)
    path = f"{page_of(webhook)}/change/"
    assert 'value="1 min 30 s"' in operator.get(path, edit=1).content.decode()
    operator.post_form(path)
    webhook.refresh_from_db()
    assert webhook.timeout_seconds == 90
    operator.post_form(path, timeout_seconds="2 min")
    webhook.refresh_from_db()
    assert webhook.timeout_seconds == 120
    page = staff("webhooks.view_subscription", name="carl").get(path).content.decode()
    assert "2 min" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": ""}, "This field is required"),
        ({"url": "ftp://x"}, "must begin with http:// or https://"),
        ({"url": "http://user@host"}, "must not hold a user"),
        ({"event_types": " \n"}, "This field is required"),
        ({"event_types": "x" * 101}, "1 to 100 characters"),
        ({"target_labels": "two words"}, "no label can be"),
        ({"stack_id": "7"}, "valid UUID"),
        ({"stack_id": "0190f000-0000-7000-8000-000000000000"}, "not one of the available choices"),
        ({"agent_id": "0190f000-0000-7000-8000-000000000000"}, "not one of the available choices"),
        ({"max_retries": "11"}, "less than or equal to 10"),
        ({"timeout_seconds": "0"}, "It is 1 s to 5 min."),
        ({"timeout_seconds": "5 min 1 s"}, "It is 1 s to 5 min."),
        ({"timeout_seconds": "soon"}, "Say how long"),
        ({"max_deliveries_per_minute": "0"}, "greater than or equal to 1"),
        ({"auth_header": "a\tb"}, "value of a header"),
        ({"name": " "}, "This field is required"),
    ],
)
def test_a_refused_webhook_is_not_created_and_the_form_says_why(operator, change, words):
    (error,) = errors_of(operator.post(f"{LIST}add/", NEW | change))
    assert words in error
    assert not Subscription.objects.exists()


def test_without_a_key_the_form_says_what_to_set(operator, settings):
    settings.WEBHOOK_ENCRYPTION_KEYS = []
    (error,) = errors_of(operator.post(f"{LIST}add/", NEW))
    assert "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY" in error


def test_a_change_leaves_what_is_not_shown_as_it_is(operator, now):
    webhook = make_webhook(auth_header="Bearer x", filters={"stack_id": uuid4()}, target_labels=["edge"])
    before = open_endpoint(webhook, now=now)
    filters = webhook.filters
    operator.post_form(f"{page_of(webhook)}/change/", name="new", event_types="b\na")
    webhook = Subscription.objects.get()
    assert open_endpoint(webhook, now=now) == before
    assert (webhook.name, webhook.event_types, webhook.target_labels) == ("new", ["b", "a"], ["edge"])
    assert webhook.filters == filters
    assert actions_by(operator.user) == ["webhook.updated"]


def test_url_header_filters_and_labels_are_replaced_and_ended(operator, now):
    webhook = make_webhook(auth_header="Bearer x", filters={"stack_id": uuid4()}, target_labels=["edge"])
    path, agent_id = f"{page_of(webhook)}/change/", str(make_agent()[0].pk)
    operator.post_form(path, url="https://new.example.com", auth_header="Bearer y", agent_id=agent_id)
    webhook = Subscription.objects.get()
    endpoint = open_endpoint(webhook, now=now)
    assert (endpoint.url, endpoint.auth_header) == ("https://new.example.com", "Bearer y")
    assert webhook.filters.keys() == {"stack_id", "agent_id"}
    operator.post_form(path, no_auth_header="on", stack_id="", agent_id="", target_labels="")
    webhook = Subscription.objects.get()
    assert open_endpoint(webhook, now=now).auth_header is None
    assert (webhook.filters, webhook.target_labels) == ({}, None)


def test_stack_and_agent_are_chosen_by_name_and_the_page_lists_no_others(operator):
    stack, other = make_stack(name="shop"), make_stack(name="bank")
    gone, _ = make_agent(name="edge-7")
    webhook = make_webhook(filters={"stack_id": stack.pk, "agent_id": gone.pk})
    delete_agent(agent=gone, actor=SYSTEM)
    page = operator.get(f"{page_of(webhook)}/change/")
    assert chosen_in(page) == {str(stack.pk): "shop", str(gone.pk): "edge-7 (test-cluster) (deleted)"}
    assert str(other.pk) not in page.content.decode()


def test_a_filter_by_an_id_that_no_row_has_is_shown_and_stays(operator):
    unknown = uuid4()
    webhook = make_webhook(filters={"stack_id": unknown})
    assert chosen_in(operator.get(f"{page_of(webhook)}/change/")) == {str(unknown): f"{unknown} (unknown)"}
    operator.post_form(f"{page_of(webhook)}/change/", name="new", agent_id=str(make_agent()[0].pk))
    webhook = Subscription.objects.get()
    assert (webhook.name, webhook.filter_stack_id) == ("new", unknown)


def test_who_may_only_look_at_webhooks_is_told_what_they_hear_of():
    stack = make_stack(name="shop")
    webhook = make_webhook(event_types=["stack.*"], filters={"stack_id": stack.pk}, target_labels=["edge"])
    page = staff("webhooks.view_subscription").get(f"{page_of(webhook)}/change/").content.decode()
    for words in ("stack.*", ">shop</a>", "edge"):
        assert words in page


def test_a_kept_header_is_not_sent_to_another_url(operator, now):
    webhook = make_webhook(auth_header="Bearer x")
    path = f"{page_of(webhook)}/change/"
    before = open_endpoint(webhook, now=now)
    (error,) = errors_of(operator.post_form(path, url="https://evil.example.com"))
    assert "given again" in error
    assert open_endpoint(Subscription.objects.get(), now=now) == before
    operator.post_form(path, url="https://new.example.com", no_auth_header="on")
    endpoint = open_endpoint(Subscription.objects.get(), now=now)
    assert (endpoint.url, endpoint.auth_header) == ("https://new.example.com", None)


def test_a_form_that_changes_nothing_is_no_change(operator):
    webhook = make_webhook()
    operator.post_form(f"{page_of(webhook)}/change/")
    assert actions_by(operator.user) == []


def test_enabling_and_disabling_are_buttons_and_actions_that_ask_first(operator):
    webhook, other = make_webhook(), make_webhook()
    asked = operator.post(f"{page_of(webhook)}/disable/")
    assert b"It hears of nothing more" in asked.content
    assert Subscription.objects.filter(enabled=True).count() == 2
    assert operator.get(f"{page_of(webhook)}/enable/").status_code == 403
    operator.post(f"{page_of(webhook)}/disable/", CONFIRMED)
    ticked = {"action": "disable_selected", "_selected_action": [str(webhook.pk), str(other.pk)]}
    operator.post(LIST, ticked | CONFIRMED)
    assert not Subscription.objects.filter(enabled=True)
    operator.post(LIST, ticked | CONFIRMED | {"action": "enable_selected"})
    operator.post(f"{page_of(webhook)}/enable/", CONFIRMED)
    assert Subscription.objects.filter(enabled=True).count() == 2
    # What is as it should be is not changed.
    assert actions_by(operator.user) == ["webhook.updated"] * 4


def test_a_secret_is_replaced_with_and_without_an_overlap(operator):
    webhook = make_webhook()
    (first,) = secrets_of(webhook)
    second = shown_secret(operator.post(f"{page_of(webhook)}/rotate/", CONFIRMED))
    assert secrets_of(webhook) == (second, first)
    assert b"signs too until" in operator.get(f"{page_of(webhook)}/change/").content
    asked = operator.get(f"{page_of(webhook)}/rotate/").content
    assert b"If the present one has leaked" in asked
    third = shown_secret(operator.post(f"{page_of(webhook)}/rotate/", CONFIRMED | {"other_way": "yes"}))
    assert secrets_of(webhook) == (third,)


@pytest.mark.parametrize(
    ("reply", "words"), [(OK, "answered 204"), (answer(500), "answered 500"), (answer(404), "answered 404")]
)
def test_a_test_event_is_sent_after_a_question_and_its_answer_shown(
    operator, receiver, reply: Reply, words: str
):
    receiver.usual = reply
    webhook = make_webhook(url=receiver.url())
    operator.post(f"{page_of(webhook)}/test/")
    assert receiver.received == []
    (message,) = messages_of(operator.post(f"{page_of(webhook)}/test/", CONFIRMED))
    assert words in message
    assert [request.json["event_type"] for request in receiver.received] == ["webhook.test"]


def test_the_list_says_what_waits_and_what_is_dead(operator, now):
    webhook = make_webhook(name="one")
    rows = [make_delivery(webhook, at=now) for _ in range(5)]
    Delivery.objects.filter(pk=rows[0].pk).update(status=Status.DEAD, due_at=None, completed_at=now)
    Delivery.objects.filter(pk=rows[1].pk).update(status=Status.SUCCESS, due_at=None, completed_at=now)
    (row,) = operator.get(LIST).context["cl"].result_list
    assert row.delivery_counts["waiting"] == 3
    assert row.delivery_counts["dead"] == 1
    assert b"3 waiting, 1 dead" in operator.get(f"{page_of(webhook)}/change/").content


def test_a_deleted_webhook_is_hidden_and_can_only_be_looked_at(operator):
    webhook = make_webhook(name="gone")
    make_delivery(webhook)
    tree = operator.get(f"{page_of(webhook)}/delete/").content
    assert b"Its deliveries go with it" in tree
    operator.post(f"{page_of(webhook)}/delete/", {"post": "yes"})
    assert b"gone" not in operator.get(LIST).content
    assert b"gone" in operator.get(LIST, deleted="only").content
    assert operator.get(f"{page_of(webhook)}/change/").status_code == 200
    assert operator.post(f"{page_of(webhook)}/change/", NEW).status_code == 403
    assert operator.get(DELIVERIES).context["cl"].result_count == 0
    assert actions_by(operator.user) == ["webhook.deleted"]


# --- Deliveries -----------------------------------------------------------------------------------


def listed(operator, **query: str) -> set[Any]:
    return {row.pk for row in operator.get(DELIVERIES, **query).context["cl"].result_list}


def test_deliveries_are_found_by_status_webhook_event_type_and_id(operator, now):
    webhook, other = make_webhook(event_types=["stack.*"]), make_webhook(event_types=["agent.*"])
    mine, silent = make_delivery(webhook), make_delivery(other, event_type="agent.silent")
    dead = make_delivery(webhook)
    Delivery.objects.filter(pk=dead.pk).update(status=Status.DEAD, due_at=None, completed_at=now)
    assert listed(operator) == {mine.pk, silent.pk, dead.pk}
    assert listed(operator, status__exact="dead") == {dead.pk}
    assert listed(operator, subscription__id__exact=str(other.pk)) == {silent.pk}
    assert listed(operator, event_type="agent.silent") == {silent.pk}
    assert listed(operator, q=str(mine.pk)) == listed(operator, q=str(mine.event_id)) == {mine.pk}
    assert listed(operator, q="mine") == set()


def test_a_delivery_is_shown_whole(operator, receiver):
    receiver.usual = answer(500, b"<script>no room</script>")
    delivery = make_delivery(make_webhook(name="tell ci", url=receiver.url()))
    deliver_due()
    page = operator.get(f"{page_of(delivery)}/change/").content.decode()
    for words in ("tell ci", "failed", "HTTP 500", str(delivery.event_id), "&quot;data&quot;: {"):
        assert words in page
    assert "<script>no room" not in page
    assert receiver.url() not in page


def test_a_delivery_is_called_by_its_event_and_its_webhook(operator):
    page = operator.get(f"{page_of(make_delivery(make_webhook(name='tell ci')))}/change/")
    assert titles_of(page) == ["Webhook deliveries", "stack.deleted to tell ci"]


def test_the_agent_that_holds_a_delivery_is_named(operator):
    agent, _ = make_agent(name="edge-7", labels=["edge"])
    page = operator.get(f"{page_of(make_held_delivery(agent, ['edge']))}/change/").content
    assert b"edge-7" in page


def test_dead_deliveries_are_sent_again_one_by_one_and_in_bulk_after_a_question(operator, receiver):
    receiver.replies["/hook"] = [answer(404)] * 3
    webhook = make_webhook(url=receiver.url())
    rows = [make_delivery(webhook) for _ in range(3)]
    deliver_due()
    operator.post(f"{page_of(rows[0])}/redeliver/")
    assert Delivery.objects.filter(status=Status.DEAD).count() == 3
    operator.post(f"{page_of(rows[0])}/redeliver/", CONFIRMED)
    ticked = {"action": "redeliver_selected", "_selected_action": [str(row.pk) for row in rows[1:]]}
    asked = operator.post(DELIVERIES, ticked)
    assert b"sent again under its id" in asked.content
    operator.post(DELIVERIES, ticked | CONFIRMED)
    assert deliver_due() == 3
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.SUCCESS}
    assert actions_by(operator.user) == ["webhook.redelivered"] * 3


def test_what_is_being_sent_is_not_sent_again_and_the_page_says_so(operator):
    agent, _ = make_agent(labels=["edge"])
    held = make_held_delivery(agent, ["edge"])
    (message,) = messages_of(operator.post(f"{page_of(held)}/redeliver/", CONFIRMED))
    assert "being sent now" in message


def test_who_may_change_deliveries_may_send_them_again_and_a_viewer_may_not():
    delivery = make_delivery(make_webhook())
    ticked = {"action": "redeliver_selected", "_selected_action": str(delivery.pk)} | CONFIRMED
    viewer = staff("webhooks.view_delivery", name="viewer")
    assert viewer.post(f"{page_of(delivery)}/redeliver/", CONFIRMED).status_code == 403
    viewer.post(DELIVERIES, ticked)
    assert actions_by(viewer.user) == []
    sender = staff("webhooks.view_delivery", "webhooks.change_delivery", name="sender")
    sender.post(f"{page_of(delivery)}/redeliver/", CONFIRMED)
    sender.post(DELIVERIES, ticked)
    assert actions_by(sender.user) == ["webhook.redelivered"] * 2


def test_the_form_of_a_webhook_holds_no_secret(operator):
    webhook = make_webhook(auth_header="Bearer x")
    fields = form_fields(operator.get(f"{page_of(webhook)}/change/"))
    assert {"url", "auth_header"}.isdisjoint(name for name, value in fields.items() if value)


def test_deliveries_are_found_by_their_id_and_by_their_event(operator):
    delivery, other = (make_delivery(make_webhook()) for _ in range(2))
    for wanted in (delivery.pk, delivery.event_id):
        rows = operator.get(DELIVERIES, q=str(wanted)).context["cl"].result_list
        assert delivery in rows
        assert (other in rows) is (other.event_id == wanted)
    for far in (UUID(int=0), UUID(int=2**128 - 1)):
        assert list(operator.get(DELIVERIES, q=str(far)).context["cl"].result_list) == []


def test_a_delivery_that_waited_for_room_is_found_by_its_event(operator):
    delivery = make_delivery(make_webhook())
    # The event happened five minutes before the delivery was written.
    event_id = UUID(int=delivery.event_id.int - (300_000 << 80))
    Delivery.objects.filter(pk=delivery.pk).update(event_id=event_id)
    Subscription.objects.filter(pk=delivery.subscription_id).update(max_deliveries_per_minute=1)
    assert listed(operator, q=str(event_id)) == {delivery.pk}
