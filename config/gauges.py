"""The metric of the worker, computed at each scrape."""

from collections.abc import Iterable
from math import inf

from prometheus_client.core import GaugeMetricFamily, Metric

from config.worker_mark import seconds_since_worker
from core import clock
from core.metrics import gauges


@gauges
def worker_gauges() -> Iterable[Metric]:
    age = seconds_since_worker(now=clock.now())
    yield GaugeMetricFamily(
        "brokkr_worker_last_seen_age_seconds",
        "Seconds since the latest sign of any worker, +Inf when there never was one.",
        value=inf if age is None else age,
    )
