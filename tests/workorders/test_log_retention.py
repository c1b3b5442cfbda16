"""Entries of orders that ended long ago go."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_agent, make_claimed_work_order, make_work_order
from tests.support.api import refused
from tests.support.rollouts import ADMIN
from workorders.jobs import forget_old_log_entries
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.claims import complete_work_order
from workorders.services.retention import delete_old_log_entries

pytestmark = pytest.mark.django_db


def make_old_entry(now: datetime, days: int) -> WorkOrderLogEntry:
    order = make_claimed_work_order(make_agent()[0])
    entry = complete_work_order(
        work_order_id=order.id,
        success=True,
        message=str(days),
        retryable=False,
        claim_token=None,
        actor=ADMIN,
        now=now - timedelta(days=days, seconds=1),
    )
    assert entry is not None
    return entry


def kept() -> list[str | None]:
    return [entry.result_message for entry in WorkOrderLogEntry.objects.order_by("completed_at")]


def test_entries_older_than_ninety_days_go_and_open_orders_stay(admin, now):
    old, _, _ = (make_old_entry(now, days) for days in (91, 90, 89))
    WorkOrder.objects.filter(pk=make_work_order().pk).update(created_at=now - timedelta(days=200))
    assert [delete_old_log_entries(now=now), delete_old_log_entries(now=now)] == [2, 0]
    assert kept() == ["89"]
    assert WorkOrder.objects.count() == 1
    refused(admin.get(f"/work-orders/{old.id}"), 404, "work_order_not_found")
    refused(admin.get(f"/work-order-log/{old.id}"), 404, "work_order_log_entry_not_found")


def test_how_long_is_a_setting_and_none_is_for_ever(settings, now):
    make_old_entry(now, 400)
    make_old_entry(now, 5)
    settings.WORK_ORDER_LOG_RETENTION_DAYS = 0
    assert delete_old_log_entries(now=now) == 0
    settings.WORK_ORDER_LOG_RETENTION_DAYS = 5
    assert forget_old_log_entries() == 2


def test_many_go_in_steps_the_oldest_first_and_not_without_end(monkeypatch, now):
    monkeypatch.setattr("core.retention.STEP", 2)
    monkeypatch.setattr("core.retention.MAX_STEPS", 2)
    for days in (93, 91, 95, 92, 94):
        make_old_entry(now, days)
    with CaptureQueriesContext(connection) as queries:
        assert delete_old_log_entries(now=now) == 4
    assert len([query for query in queries if query["sql"].startswith("DELETE")]) == 2
    assert kept() == ["91"]
