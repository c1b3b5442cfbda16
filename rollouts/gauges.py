"""Metrics about rollouts, computed at each scrape."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count, F, Q
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from core import clock
from core.metrics import gauges
from rollouts.models import Freeze, Rollout, RolloutState, RolloutWave
from rollouts.models.rollout import UNFINISHED

_BUCKETS = (60, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400, 604_800)


@gauges
def rollout_gauges() -> Iterable[Metric]:
    states = GaugeMetricFamily("brokkr_rollouts", "Rollouts that have not ended, by state.", labels=["state"])
    counts = dict(Rollout.objects.unfinished().values_list("state").annotate(Count("pk")).order_by())
    for state in UNFINISHED:
        states.add_metric([RolloutState(state).value], counts.get(state, 0))
    yield states
    yield GaugeMetricFamily("brokkr_freezes", "Freezes that hold.", value=Freeze.objects.holding().count())
    yield GaugeMetricFamily(
        "brokkr_rollouts_starving",
        "Running rollouts that took the place of more than three others, one after another, none of which succeeded.",
        value=Rollout.objects.starving().count(),
    )
    yield _oldest_look()
    yield _proof_times()


def _oldest_look() -> Metric:
    # The value grows if no worker runs, or if the workers have too much to do.
    first = Rollout.objects.moving().order_by("next_look_at").values_list("next_look_at", flat=True).first()
    late = (clock.now() - first).total_seconds() if first is not None else 0.0
    return GaugeMetricFamily(
        "brokkr_rollout_look_overdue_seconds",
        "For how long the worker should have looked at a rollout and has not.",
        value=max(0.0, late),
    )


def _proof_times() -> Metric:
    # Over all waves in the database, so that the value does not depend on the process that proved them.
    proven = RolloutWave.objects.filter(proven_at__isnull=False, released_at__isnull=False)
    within = {
        f"within_{seconds}": Count(
            "pk", filter=Q(proven_at__lte=F("released_at") + timedelta(seconds=seconds))
        )
        for seconds in _BUCKETS
    }
    found = proven.aggregate(total=Count("pk"), **within)
    family = HistogramMetricFamily(
        "brokkr_rollout_wave_proof_seconds", "Time from the release of a wave to its proof."
    )
    buckets = [(str(float(seconds)), found[f"within_{seconds}"]) for seconds in _BUCKETS]
    family.add_metric([], [*buckets, ("+Inf", found["total"])], sum_value=None)
    return family
