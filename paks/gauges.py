"""Metrics about keys, computed when they are asked for."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from core import clock
from core.metrics import gauges
from paks.endings import ending_soon
from paks.models import Pak, Role


@gauges
def key_gauges() -> Iterable[Metric]:
    in_use = Pak.objects.usable().filter(key_hash=settings.DEVELOPMENT_PAK_HASH).exists()
    yield GaugeMetricFamily(
        "brokkr_default_admin_pak_hash_in_use",
        "1 while the public development key works, which anybody holds.",
        value=int(in_use),
    )
    ending = GaugeMetricFamily(
        "brokkr_keys_ending_soon",
        "Keys that end within the warning time and that no other key of the same owner and name outlasts.",
        labels=["role"],
    )
    rows = ending_soon(clock.now()).order_by().values_list("role").annotate(keys=Count("*"))
    found = dict(rows)
    for role in Role.values:
        ending.add_metric([role], found.get(role, 0))
    yield ending
