"""Metrics about the inventory, computed at each scrape."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from core.metrics import gauges
from inventory.models import Progress, UnreadVersion


@gauges
def inventory_gauges() -> Iterable[Metric]:
    progress = Progress.objects.first()
    done = progress is not None and progress.is_complete
    yield GaugeMetricFamily(
        "brokkr_inventory_complete", "1 when the versions of the past have been read.", value=int(done)
    )
    yield GaugeMetricFamily(
        "brokkr_inventory_unread_versions",
        "Versions of which the inventory has nothing, because they cannot be read.",
        value=UnreadVersion.objects.count(),
    )
