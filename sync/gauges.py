"""Metrics about what agents wait for, computed at each scrape."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from core.metrics import gauges
from sync.services import waiting_removals


@gauges
def removal_gauges() -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "brokkr_removals_waiting",
        "Removals that agents hold back until somebody confirms them.",
        value=waiting_removals().count(),
    )
