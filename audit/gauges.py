"""Metrics about the seals of the audit log, computed at each scrape."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from audit.chain_state import oldest_unsealed_at
from core import clock
from core.metrics import gauges


@gauges
def audit_gauges() -> Iterable[Metric]:
    oldest = oldest_unsealed_at()
    yield GaugeMetricFamily(
        "brokkr_audit_oldest_unsealed_age_seconds",
        "Age of the oldest entry of the audit log that no seal holds yet, 0 when there is none.",
        value=max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0,
    )
