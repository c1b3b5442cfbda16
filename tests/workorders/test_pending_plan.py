"""What an agent's question for work costs on PostgreSQL: its own matches, not the table."""

import pytest
from django.db import connection

from paks.tokens import split_token
from tests.factories import make_agent, make_work_order
from tests.support.plans import analyzed, analyzed_sql, buffers, scanned_tables
from workorders.claimable_work import _ANY, look_for_work
from workorders.matching import pending_for
from workorders.models import WorkOrder, WorkOrderAnnotation, WorkOrderLabel, WorkOrderTarget
from workorders.services import Targeting

pytestmark = [pytest.mark.django_db, pytest.mark.requires_postgres]

OTHERS = "someone-else"
ORDER_TABLES = {"work_orders", "work_order_targets", "work_order_labels", "work_order_annotations"}


def fill(orders: int) -> None:
    """Pending orders for other agents."""
    other, _ = make_agent(labels=[OTHERS])
    rows = WorkOrder.objects.bulk_create(
        [WorkOrder(work_type="build", yaml_content="kind: Build") for _ in range(orders)], batch_size=2000
    )
    WorkOrderLabel.objects.bulk_create(
        [WorkOrderLabel(work_order=row, label=OTHERS) for row in rows], batch_size=2000
    )
    WorkOrderTarget.objects.bulk_create(
        [WorkOrderTarget(work_order=row, agent=other) for row in rows], batch_size=2000
    )
    WorkOrderAnnotation.objects.bulk_create(
        [WorkOrderAnnotation(work_order=row, key=OTHERS, value=OTHERS) for row in rows], batch_size=2000
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# As the endpoint asks: all of them, of one type, and one page of them.
QUESTIONS = {
    "all": lambda rows: rows.order_by("created_at", "id"),
    "of one type": lambda rows: rows.filter(work_type="build").order_by("created_at", "id"),
    "the first": lambda rows: rows.order_by("created_at", "id")[:2],
    "the first of one type": lambda rows: rows.filter(work_type="build").order_by("created_at", "id")[:2],
}


def test_pending_reads_no_table_from_end_to_end_and_does_not_grow_with_it():
    agent, _ = make_agent(labels=["builder", "arm64"], annotations={"region": "eu"})
    for _ in range(3):
        make_work_order()
    make_work_order(targeting=Targeting(annotations={"region": "eu"}))
    fill(1_000)
    small = {name: analyzed(ask(pending_for(agent.id))) for name, ask in QUESTIONS.items()}
    fill(20_000)
    large = {name: analyzed(ask(pending_for(agent.id))) for name, ask in QUESTIONS.items()}
    assert {name: plan["Actual Rows"] for name, plan in large.items()} == {
        "all": 4, "of one type": 4, "the first": 2, "the first of one type": 2,
    }  # fmt: skip
    for name, plan in large.items():
        assert not scanned_tables(plan) & ORDER_TABLES, name
        assert buffers(plan) <= 1.5 * buffers(small[name]), name


def test_looking_for_work_costs_an_agent_without_any_the_same_in_a_large_table():
    """Also where the labels, pairs and agents of nearly all orders are few, so that matches seem likely."""
    agent, api = make_agent(labels=["builder", "arm64"], annotations={"region": "eu"})
    key_hash = split_token(api.key).hash
    question = {"agent": agent.id, "key_hash": key_hash}
    fill(1_000)
    small = analyzed_sql(_ANY, question)
    fill(20_000)
    large = analyzed_sql(_ANY, question)
    assert look_for_work(agent_id=agent.id, key_hash=key_hash).found is False
    assert not scanned_tables(large) & ORDER_TABLES
    assert buffers(large) <= 1.5 * buffers(small)
