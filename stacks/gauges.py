"""Metrics about stacks, computed when they are asked for."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from core.metrics import gauges
from stacks.models import DeploymentObject, Stack


@gauges
def stack_counts() -> Iterable[Metric]:
    yield GaugeMetricFamily("brokkr_stacks_total", "Live stacks.", value=Stack.objects.active().count())
    yield GaugeMetricFamily(
        "brokkr_deployment_objects_total",
        "Live deployment objects.",
        value=DeploymentObject.objects.versions().count(),
    )
