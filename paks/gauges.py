"""Metrics about keys, computed when they are asked for."""

from collections.abc import Iterable

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric

from core.metrics import gauges
from paks.models import Pak


@gauges
def key_gauges() -> Iterable[Metric]:
    in_use = Pak.objects.usable().filter(key_hash=settings.DEVELOPMENT_PAK_HASH).exists()
    yield GaugeMetricFamily(
        "brokkr_default_admin_pak_hash_in_use",
        "1 while the public development key works, which anybody holds.",
        value=int(in_use),
    )
