"""Metrics about work orders, computed at each scrape."""

from collections.abc import Iterable

from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily, Metric

from core import clock
from core.metrics import gauges
from workorders.models import WorkOrder


@gauges
def work_order_gauges() -> Iterable[Metric]:
    counts = GaugeMetricFamily(
        "brokkr_work_orders", "Unfinished work orders.", labels=["status", "work_type"]
    )
    rows = WorkOrder.objects.order_by().values_list("status", "work_type").annotate(orders=Count("*"))
    for status, work_type, orders in rows:
        counts.add_metric([status, work_type], orders)
    yield counts
    oldest = WorkOrder.objects.pending().aggregate(at=Min("created_at"))["at"]
    yield GaugeMetricFamily(
        "brokkr_work_order_oldest_pending_age_seconds",
        "Age of the oldest pending work order, 0 when there is none.",
        value=max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0,
    )
