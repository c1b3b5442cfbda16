"""Metrics about stacks, computed when they are asked for."""

from collections.abc import Iterable

from prometheus_client.core import Metric, UntypedMetricFamily

from core.metrics import gauges
from stacks.models import DeploymentObject, Stack


@gauges
def stack_counts() -> Iterable[Metric]:
    # The names are those of the original broker. As gauges, Prometheus's own check refuses names with this ending.
    yield UntypedMetricFamily("brokkr_stacks_total", "Live stacks.", value=Stack.objects.active().count())
    yield UntypedMetricFamily(
        "brokkr_deployment_objects_total",
        "Live deployment objects.",
        value=DeploymentObject.objects.versions().count(),
    )
