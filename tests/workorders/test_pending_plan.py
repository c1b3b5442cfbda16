"""What an agent's question for work costs on PostgreSQL: its own matches, not the table."""

import pytest
from django.db import connection

from tests.factories import make_agent, make_work_order
from tests.support.plans import analyzed, buffers, scanned_tables
from workorders.matching import pending_for
from workorders.models import WorkOrder, WorkOrderLabel, WorkOrderTarget
from workorders.services import Targeting

pytestmark = [pytest.mark.django_db, pytest.mark.requires_postgres]

OTHERS = "someone-else"


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
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def test_pending_reads_no_table_from_end_to_end_and_does_not_grow_with_it():
    agent, _ = make_agent(labels=["builder", "arm64"], annotations={"region": "eu"})
    for _ in range(3):
        make_work_order()
    make_work_order(targeting=Targeting(annotations={"region": "eu"}))
    fill(1_000)
    small = analyzed(pending_for(agent.id))
    fill(20_000)
    large = analyzed(pending_for(agent.id))
    assert large["Actual Rows"] == small["Actual Rows"] == 4
    assert not scanned_tables(large) & {"work_orders", "work_order_labels", "work_order_targets"}
    assert buffers(large) <= 1.5 * buffers(small)
