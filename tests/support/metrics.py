"""All metrics of the product, whichever process has them."""

from collections.abc import Iterator
from importlib import import_module

from prometheus_client.core import REGISTRY, Metric
from prometheus_client.metrics import MetricWrapperBase

from core.metrics import gauge_families
from tests.support.server import ROOT

# These are loaded where they count: by views, and by the threads of a web process.
for _path in ROOT.glob("*/counters.py"):
    import_module(f"{_path.parent.name}.counters")

ONLY_POSTGRESQL = {"brokkr_database_connections", "brokkr_database_connections_limit"}


def all_families() -> Iterator[tuple[Metric, tuple[str, ...]]]:
    """Each metric with the names of its labels. Asks the database."""
    for collector in set(REGISTRY._names_to_collectors.values()):  # it has no public name
        if isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            yield family, tuple(collector._labelnames)
    for family in gauge_families():
        yield family, tuple(getattr(family, "_labelnames", ()))
