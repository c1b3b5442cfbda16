"""Several workers, agents and administrators at the same deliveries at once, on PostgreSQL."""

from collections import Counter
from ipaddress import ip_network

import orjson
import pytest
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from core.events import SYSTEM
from stacks.models import Stack
from tests.factories import make_agent, make_delivery, make_generator, make_notice, make_webhook
from tests.support.api import Api
from tests.support.receiver import answer, running_receiver
from tests.support.threads import call, calls, statuses, together
from webhooks.dispatcher import deliver_due
from webhooks.models import Delivery, HeldNotice, Status
from webhooks.services.deliveries import claim_due, redeliver
from webhooks.services.limits import let_go_of_held

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_postgres]

EVENTS = 40
WORKERS = 4


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.1/32"),)
    settings.WEBHOOK_ALLOWED_PORTS = None
    # Small bites, so that the workers meet again and again.
    settings.WEBHOOK_DELIVERY_BATCH_SIZE = 5
    with running_receiver() as running:
        yield running


def test_workers_that_deliver_at_once_send_each_delivery_once(receiver):
    make_webhook(url=receiver.url("/a"))
    make_webhook(url=receiver.url("/b"))
    events = [str(make_notice().id) for _ in range(EVENTS)]

    sent = together(*[deliver_due] * WORKERS)

    assert sum(sent) == 2 * EVENTS
    for path in ("/a", "/b"):
        assert Counter(receiver.ids(path)) == Counter(events)
    assert set(Delivery.objects.values_list("status", "attempts")) == {(Status.SUCCESS, 1)}


def test_workers_that_fail_at_once_count_each_attempt_once(receiver):
    # Not to be tried again while others are tried for the first time.
    receiver.usual = answer(503, Retry_After="3600")
    make_webhook(url=receiver.url())
    for _ in range(EVENTS):
        make_notice()

    sent = together(*[deliver_due] * WORKERS)

    assert sum(sent) == EVENTS
    assert set(Delivery.objects.values_list("status", "attempts")) == {(Status.FAILED, 1)}


def test_claims_at_the_same_moment_share_what_there_is():
    for _ in range(3):
        make_webhook()
    for _ in range(10):
        make_notice()
    now = timezone.now()

    claims = together(*[lambda: claim_due(now=now, slots=50, busy={}, per_subscription=4)] * WORKERS)

    taken = Counter(claim.delivery_id for each in claims for claim in each)
    assert set(taken.values()) == {1}
    assert len(taken) == Delivery.objects.filter(status=Status.ACQUIRED).count()


def test_workers_that_let_go_at_once_count_each_held_notice_once():
    webhook = make_webhook(max_deliveries_per_minute=5)
    events = {str(make_notice().id) for _ in range(EVENTS)}
    now = timezone.now()

    together(*[lambda: let_go_of_held(now=now)] * WORKERS)

    bodies = [orjson.loads(row.payload) for row in Delivery.objects.filter(subscription=webhook)]
    (summary,) = [body["data"] for body in bodies if body["event_type"] == "webhook.summary"]
    alone = {body["id"] for body in bodies} & events
    assert (len(bodies), len(alone), summary["count"]) == (5, 4, EVENTS - 4)
    assert alone | {event["id"] for event in summary["events"]} == events
    assert not HeldNotice.objects.exists()


def test_agents_that_ask_at_the_same_moment_get_different_deliveries():
    agents = [make_agent(labels=["edge"]) for _ in range(6)]
    make_webhook(target_labels=["edge"])
    for _ in range(EVENTS):
        make_notice()

    responses = together(*[call(api, "GET", f"/agents/{agent.id}/webhooks/pending") for agent, api in agents])

    taken = Counter(row["id"] for response in responses for row in response.json())
    assert set(taken.values()) == {1}
    holders = Counter(Delivery.objects.filter(pk__in=taken).values_list("acquired_by", flat=True))
    assert holders == {
        agent.id: len(response.json())
        for (agent, _), response in zip(agents, responses, strict=True)
        if response.json()
    }


def test_a_change_that_tells_a_webhook_which_is_being_deleted_goes_through(admin):
    generator, api = make_generator()
    webhooks = [make_webhook(event_types=["stack.created"]) for _ in range(5)]
    body = {"generator_id": str(generator.id)}

    def create() -> list[int]:
        return [api.post("/stacks", body | {"name": f"stack-{n}"}).status_code for n in range(20)]

    def delete() -> list[int]:
        return [admin.delete(f"/webhooks/{webhook.id}").status_code for webhook in webhooks]

    created, deleted = together(create, delete)

    assert set(created) == {201}
    assert set(deleted) == {204}
    assert Stack.objects.count() == 20


def test_of_simultaneous_changes_with_the_same_tag_one_succeeds(admin):
    path = f"/webhooks/{make_webhook().id}"
    tag = {"If-Match": admin.get(path).headers["ETag"]}

    responses = together(*[lambda: Api(admin.key).put(path, {"max_retries": 3}, headers=tag)] * 5)

    assert statuses(responses) == [200] + [412] * 4


def test_equal_target_labels_at_the_same_moment_are_kept_once(admin):
    body = {"name": "w", "url": "https://example.com", "event_types": ["*"], "target_labels": ["x", "y"]}

    responses = together(*[calls(3, admin, "POST", "/webhooks", body)] * 4)

    assert {response.status_code for each in responses for response in each} == {201}
    agent, api = make_agent(labels=["x", "y"])
    make_notice("agent.silent", data={})
    assert len(api.get(f"/agents/{agent.id}/webhooks/pending").json()) == 10


def test_sending_again_and_taking_do_not_both_get_the_delivery():
    deliveries = [make_delivery(make_webhook()) for _ in range(8)]
    now = timezone.now()

    def again() -> list[str]:
        answers = []
        for delivery in deliveries:
            try:
                with transaction.atomic():
                    answers.append(redeliver(delivery_id=delivery.pk, actor=SYSTEM, now=now).status)
            except DomainError as refusal:
                answers.append(refusal.code)
        return answers

    answers, _ = together(
        again, lambda: [str(claim) for claim in claim_due(now=now, slots=50, busy={}, per_subscription=50)]
    )

    assert set(answers) <= {"pending", "delivery_under_way"}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    assert not Delivery.objects.exclude(status__in=[Status.PENDING, Status.ACQUIRED])
