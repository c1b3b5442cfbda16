"""Events become deliveries: of which kinds, for whom, and in the transaction of the change."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models.event import EventStatus
from agents.services.agents import delete_agent, lock_agent
from agents.services.events import Report, report_events
from core.events import SYSTEM, Event, emit
from stacks.event_kinds import StackEventKind
from stacks.services import delete_stack, lock_stack
from tests.factories import (
    make_agent,
    make_claimed_work_order,
    make_event,
    make_generator,
    make_log_entry,
    make_notice,
    make_object,
    make_stack,
    make_target,
    make_webhook,
)
from tests.support.api import refused
from tests.support.events import is_wire_time
from webhooks.models import Delivery, Status
from webhooks.services.subscriptions import delete_subscription, update_subscription

pytestmark = pytest.mark.django_db


def heard(webhook) -> list[str]:
    """The types of the events that wait for the webhook, oldest first."""
    return list(
        Delivery.objects.filter(subscription=webhook).order_by("id").values_list("event_type", flat=True)
    )


def data_of(event_type: str) -> dict[str, Any]:
    (delivery,) = Delivery.objects.filter(event_type=event_type)
    event = orjson.loads(delivery.payload)
    assert list(event) == ["id", "event_type", "timestamp", "data"]
    assert (event["id"], event["event_type"]) == (str(delivery.event_id), event_type)
    assert is_wire_time(event["timestamp"])
    data: dict[str, Any] = event["data"]
    return data


def test_what_happens_to_agents_is_told_with_the_data_of_the_contract():
    make_webhook(event_types=["agent.*"])
    agent, _ = make_agent(name="edge", cluster_name="eu")
    data = data_of("agent.registered")
    assert is_wire_time(data.pop("created_at"))
    assert data == {
        "agent_id": str(agent.id),
        "name": "edge",
        "cluster_name": "eu",
        "status": "INACTIVE",
    }
    with transaction.atomic():
        delete_agent(agent=lock_agent(agent.id), actor=SYSTEM)
    data = data_of("agent.deregistered")
    assert is_wire_time(data.pop("deleted_at"))
    assert data == {"agent_id": str(agent.id)}


def test_what_happens_to_stacks_is_told_with_the_data_of_the_contract():
    make_webhook(event_types=["stack.*", "deployment.*"])
    stack = make_stack(name="payments")
    assert (
        data_of("stack.created").items()
        >= {
            "stack_id": str(stack.id),
            "name": "payments",
            "description": None,
        }.items()
    )
    obj = make_object(stack)
    data = data_of("deployment.created")
    assert is_wire_time(data.pop("created_at"))
    assert data == {
        "deployment_object_id": str(obj.id),
        "stack_id": str(stack.id),
        "sequence_id": obj.sequence_id,
    }
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.id), actor=SYSTEM)
    assert data_of("stack.deleted").keys() == {"stack_id", "deleted_at"}


@pytest.mark.parametrize(
    ("status", "event_type"), [("SUCCESS", "deployment.applied"), ("FAILURE", "deployment.failed")]
)
def test_what_agents_report_is_told_once_within_the_hour(status, event_type):
    webhook = make_webhook(event_types=[event_type])
    agent, _ = make_agent()
    obj = make_object(make_stack())
    event = make_event(agent, obj, status, message="so it is")
    make_event(agent, obj, status, message="so it is")
    assert heard(webhook) == [event_type]
    data = data_of(event_type)
    assert is_wire_time(data.pop("created_at"))
    assert data == {
        "agent_event_id": str(event.id),
        "agent_id": str(agent.id),
        "deployment_object_id": str(obj.id),
        "stack_id": str(obj.stack_id),
        "event_type": "DEPLOY",
        "status": status,
        "message": "so it is",
    }


def test_what_happens_to_work_orders_is_told_with_the_data_of_the_contract():
    webhook = make_webhook(event_types=["workorder.*"])
    agent, _ = make_agent()
    make_claimed_work_order(agent)
    make_log_entry(agent)
    make_log_entry(agent, success=False)
    assert heard(webhook) == [
        "workorder.created",
        "workorder.claimed",
        "workorder.created",
        "workorder.claimed",
        "workorder.completed",
        "workorder.created",
        "workorder.claimed",
        "workorder.failed",
    ]
    assert data_of("workorder.completed").keys() == {
        "work_order_log_id",
        "work_type",
        "success",
        "result_message",
        "agent_id",
        "completed_at",
    }


@pytest.mark.parametrize(
    ("patterns", "hears"),
    [
        (["*"], True),
        (["stack.*"], True),
        (["stack.deleted"], True),
        (["agent.*", "stack.deleted"], True),
        (["stack.created"], False),
        (["stack"], False),
        (["stack*"], False),
        (["st.*"], False),
        (["stack.deleted.*"], False),
        (["STACK.DELETED"], False),
        (["*.deleted"], False),
    ],
)
def test_a_pattern_is_a_type_a_prefix_with_a_star_or_the_star(patterns, hears):
    webhook = make_webhook(event_types=patterns)
    make_notice("stack.deleted")
    assert heard(webhook) == (["stack.deleted"] if hears else [])


def test_a_webhook_that_asks_twice_is_told_once():
    webhook = make_webhook(event_types=["*", "stack.*", "stack.deleted", "*"])
    make_notice("stack.deleted")
    assert heard(webhook) == ["stack.deleted"]


STACK, AGENT, OTHER = uuid4(), uuid4(), uuid4()


@pytest.mark.parametrize(
    ("filters", "data", "hears"),
    [
        ({"stack_id": STACK}, {"stack_id": STACK}, True),
        ({"stack_id": STACK}, {"stack_id": str(STACK)}, True),
        ({"stack_id": STACK}, {"stack_id": OTHER}, False),
        ({"stack_id": STACK}, {"stack_id": None}, False),
        ({"stack_id": STACK}, {"agent_id": STACK}, False),
        ({"agent_id": AGENT}, {"agent_id": AGENT, "stack_id": OTHER}, True),
        ({"agent_id": AGENT}, {"agent_id": OTHER}, False),
        ({"agent_id": AGENT, "stack_id": STACK}, {"agent_id": AGENT, "stack_id": STACK}, True),
        ({"agent_id": AGENT, "stack_id": STACK}, {"agent_id": AGENT, "stack_id": OTHER}, False),
        ({"agent_id": AGENT, "stack_id": STACK}, {"agent_id": AGENT}, False),
        ({"agent_id": None, "stack_id": None}, {}, True),
        ({}, {}, True),
    ],
)
def test_every_filter_that_is_set_must_equal_the_field_of_its_name(filters, data, hears):
    webhook = make_webhook(filters=filters)
    make_notice("stack.deleted", data=data)
    assert bool(heard(webhook)) == hears


def test_a_filter_for_a_stack_keeps_out_the_reports_on_others():
    stack, other = make_stack(), make_stack()
    agent, _ = make_agent()
    webhook = make_webhook(event_types=["deployment.*"], filters={"stack_id": stack.id})
    make_event(agent, make_object(stack))
    make_event(agent, make_object(other))
    assert heard(webhook) == ["deployment.created", "deployment.applied"]


def test_a_disabled_or_deleted_webhook_hears_nothing():
    disabled, deleted = make_webhook(enabled=False), make_webhook()
    delete_subscription(subscription=deleted, actor=SYSTEM)
    make_notice()
    assert not Delivery.objects.exists()
    update_subscription(subscription=disabled, changes={"enabled": True}, actor=SYSTEM)
    make_notice()
    assert heard(disabled) == ["stack.deleted"]


def test_a_changed_webhook_hears_what_it_asks_for_now():
    webhook = make_webhook(event_types=["stack.deleted"], filters={"stack_id": OTHER})
    update_subscription(
        subscription=webhook, changes={"event_types": ["agent.silent"], "filters": None}, actor=SYSTEM
    )
    make_notice("stack.deleted", data={"stack_id": OTHER})
    make_notice("agent.silent", data={})
    assert heard(webhook) == ["agent.silent"]


def test_every_webhook_gets_a_delivery_of_its_own_with_the_id_of_the_event():
    first, second = make_webhook(), make_webhook(target_labels=["edge"])
    event = make_notice()
    deliveries = {row.subscription_id: row for row in Delivery.objects.select_related("audience")}
    assert deliveries.keys() == {first.id, second.id}
    assert {row.event_id for row in deliveries.values()} == {event.id}
    assert len({row.payload for row in deliveries.values()}) == 1
    assert [deliveries[each.id].target_labels for each in (first, second)] == [None, ["edge"]]
    for row in deliveries.values():
        assert (row.status, row.attempts, row.created_at, row.due_at) == (
            Status.PENDING,
            0,
            event.at,
            event.at,
        )


def test_target_labels_are_those_of_the_moment():
    webhook = make_webhook(target_labels=["then"])
    make_notice()
    update_subscription(subscription=webhook, changes={"target_labels": ["now"]}, actor=SYSTEM)
    make_notice()
    rows = Delivery.objects.select_related("audience").order_by("id")
    assert [row.target_labels for row in rows] == [["then"], ["now"]]


def test_a_change_that_is_rolled_back_was_never_told():
    make_webhook()
    with transaction.atomic():
        make_stack()
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_a_refused_request_tells_nothing(admin):
    generator, api = make_generator()
    make_stack(generator, name="taken")
    make_webhook()
    refused(
        api.post("/stacks", {"name": "taken", "generator_id": str(generator.id)}), 409, "unique_violation"
    )
    assert not Delivery.objects.exists()


def test_what_is_no_event_type_is_told_nobody():
    make_webhook()
    emit(
        Event(
            kind=StackEventKind.STACK_UPDATED,
            resource_type="stack",
            resource_id=None,
            actor=SYSTEM,
            data={},
        ),
        Event(kind=StackEventKind.STACK_LABEL_ADDED, resource_type="stack", resource_id=None, actor=SYSTEM),
    )
    assert not Delivery.objects.exists()


# --- What it costs --------------------------------------------------------------------------------


def reports(number: int):
    agent, _ = make_agent()
    stack = make_stack()
    make_target(agent, stack)
    objects = [make_object(stack) for _ in range(number)]
    return agent, [Report(obj.id, "DEPLOY", EventStatus.SUCCESS) for obj in objects]


def test_telling_of_what_nobody_may_hear_asks_no_database(django_assert_num_queries):
    make_webhook()
    silent = Event(
        kind=StackEventKind.STACK_UPDATED, resource_type="x", resource_id=None, actor=SYSTEM, audited=False
    )
    with django_assert_num_queries(0):
        emit(silent)


@pytest.mark.parametrize("number", [1, 10])
@pytest.mark.parametrize(("webhooks", "statements"), [(0, 1), (1, 2), (5, 2)])
def test_telling_costs_one_look_and_one_write_however_much_is_told(
    number, webhooks, statements, django_assert_num_queries
):
    for _ in range(webhooks):
        make_webhook(event_types=["*", "stack.*"])
    for _ in range(3):
        make_webhook(event_types=["agent.silent"])
    events = [
        Event(
            kind=StackEventKind.STACK_CREATED,
            resource_type="stack",
            resource_id=None,
            actor=SYSTEM,
            audited=False,
            data={"created_at": timezone.now()},
        )
        for _ in range(number)
    ]
    with transaction.atomic(), django_assert_num_queries(statements):
        emit(*events)
    assert Delivery.objects.count() == number * webhooks


def test_a_batch_of_reports_costs_two_statements_more_when_somebody_listens(django_assert_max_num_queries):
    agent, batch = reports(20)
    make_webhook(event_types=["deployment.*"])
    with django_assert_max_num_queries(14):
        report_events(agent_id=agent.id, reports=batch, actor=SYSTEM)
    assert Delivery.objects.count() == 20


def statements_about_webhooks(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return sum("webhook_" in query["sql"] for query in queries)


def test_a_change_that_no_webhook_asks_for_is_asked_about_by_the_insert_of_the_audit_row():
    make_webhook(event_types=["agent.*"])
    generator, _ = make_generator()
    # SQLite is asked by a statement of its own.
    assert statements_about_webhooks(lambda: make_stack(generator=generator)) == 1
    assert not Delivery.objects.filter(event_type="stack.created").exists()
    # The look-up of the subscriptions, and the deliveries.
    make_webhook(event_types=["stack.created"])
    assert statements_about_webhooks(lambda: make_stack(generator=generator)) == 1 + 2


def test_a_heartbeat_asks_nothing_of_webhooks():
    make_webhook()
    agent, api = make_agent()
    with CaptureQueriesContext(connection) as queries:
        assert api.post(f"/agents/{agent.id}/heartbeat").status_code == 204
    assert len(queries) > 0
    assert not any("webhook" in query["sql"] for query in queries)
