"""The metrics of /metrics. Counters are in files that all gunicorn processes share; gauges query the database."""

import os
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import REGISTRY, Metric

REQUESTS = Counter("brokkr_http_requests_total", "Requests answered.", ["endpoint", "method", "status"])
DURATIONS = Histogram(
    "brokkr_http_request_duration_seconds",
    "Time to answer a request.",
    ["endpoint", "method"],
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

Gauges = Callable[[], Iterable[Metric]]
_gauges: list[Gauges] = []


def gauges(compute: Gauges) -> Gauges:
    """Register a function that computes metrics at each scrape, so that they are never stale."""
    _gauges.append(compute)
    return compute


def gauge_families() -> Iterator[Metric]:
    """The metrics that are computed at each scrape. Raises Django's database errors."""
    for compute in _gauges:
        yield from compute()


class _AtScrape:
    def collect(self) -> Iterator[Metric]:
        return gauge_families()

    def describe(self) -> list[Metric]:
        return []


def exposition() -> bytes:
    """The text format of all metrics, summed over the processes of this server."""
    registry = CollectorRegistry()
    registry.register(_AtScrape())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(registry) + generate_latest(REGISTRY)
