"""What the questions that are asked all day read, among many webhooks and deliveries, on PostgreSQL."""

from datetime import timedelta

import pytest
from django.db import connection

from core.prepared import uuid_parameter
from paks.models import Pak
from tests.factories import make_agent, make_webhook
from tests.support.plans import analyzed, analyzed_sql, buffers, scanned_tables
from webhooks.due_deliveries import _ANY
from webhooks.event_types import patterns_for
from webhooks.models import Delivery, EventPattern, Status, Subscription
from webhooks.services.deliveries import _due_of

pytestmark = [pytest.mark.django_db, pytest.mark.requires_postgres]

WEBHOOKS = 300
DELIVERIES = 20


@pytest.fixture
def many(now):
    """Webhooks that each ask for something of their own, half of them for agents, with queues of which most is over."""
    first = make_webhook(event_types=["agent.silent"], target_labels=["edge"])
    rows = [
        Subscription(
            name=f"w{number}",
            url_sealed=b"x",
            secret_sealed=b"x",
            audience=[None, first.audience][number % 2],
        )
        for number in range(WEBHOOKS)
    ]
    Subscription.objects.bulk_create(rows)
    EventPattern.objects.bulk_create(
        EventPattern(subscription=row, pattern=f"other.{number}") for number, row in enumerate(rows)
    )
    Delivery.objects.bulk_create(
        Delivery(
            subscription=row,
            audience_id=row.audience_id,
            event_type="stack.deleted",
            event_id=row.pk,
            payload="{}",
            created_at=now,
            **(
                {"due_at": now + timedelta(hours=1)}
                if number == 0
                else {"status": Status.SUCCESS, "completed_at": now}
            ),
        )
        for row in rows
        for number in range(DELIVERIES)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows


def test_an_event_finds_its_listeners_by_an_index(many):
    plan = analyzed(
        EventPattern.objects.filter(
            pattern__in=patterns_for("stack.deleted"),
            subscription__enabled=True,
            subscription__deleted_at__isnull=True,
        )
    )
    assert scanned_tables(plan) == set()
    assert buffers(plan) < 20


def test_what_is_due_for_a_webhook_is_found_by_an_index(many, now):
    plan = analyzed(_due_of(many[0]).due(now).order_by("due_at", "id")[:10])
    assert scanned_tables(plan) == set()
    assert buffers(plan) < 10


def test_an_agent_that_asks_reads_no_delivery_that_is_not_due(many, now):
    agent, _ = make_agent(labels=["edge"])
    parameters = {
        "agent": uuid_parameter(agent.id),
        "key_hash": Pak.objects.get(subject_id=agent.id).key_hash,
        "now": now,
    }
    plan = analyzed_sql(_ANY, parameters)
    assert "webhook_deliveries" not in scanned_tables(plan)
    assert buffers(plan) < 30
