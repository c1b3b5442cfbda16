"""Metrics about the worker's jobs and the database's connections, computed at each scrape."""

from collections.abc import Iterable

from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from core.jobs import registered_jobs
from core.metrics import gauges
from core.models import JobRuns
from core.prepared import is_postgresql

# Without the right to see others' sessions their rows are there, with most columns empty.
_CONNECTIONS = """
SELECT count(*) FILTER (WHERE datname = current_database()), count(*), current_setting('max_connections')::int
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


@gauges
def job_gauges() -> Iterable[Metric]:
    durations = SummaryMetricFamily(
        "brokkr_job_duration_seconds", "How long the worker's jobs took, over all workers.", labels=["job"]
    )
    failures = CounterMetricFamily(
        "brokkr_job_failures", "Runs of the worker's jobs that failed.", labels=["job"]
    )
    succeeded = GaugeMetricFamily(
        "brokkr_job_last_success_timestamp_seconds",
        "When the job last succeeded in any worker, in seconds since 1970.",
        labels=["job"],
    )
    found = JobRuns.objects.in_bulk()
    for job in registered_jobs():
        runs = found.get(job.name, JobRuns())
        durations.add_metric([job.name], runs.runs, runs.seconds)
        failures.add_metric([job.name], runs.failures)
        if runs.succeeded_at is not None:
            succeeded.add_metric([job.name], runs.succeeded_at.timestamp())
    yield from (durations, failures, succeeded)


@gauges
def connection_gauges() -> Iterable[Metric]:
    if not is_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        ((own, all_, most),) = cursor.fetchall()
    used = GaugeMetricFamily(
        "brokkr_database_connections",
        "Sessions of PostgreSQL: in the database of the broker (own), in others (other).",
        labels=["database"],
    )
    used.add_metric(["own"], own)
    used.add_metric(["other"], all_ - own)
    yield used
    yield GaugeMetricFamily("brokkr_database_connections_limit", "max_connections of PostgreSQL.", value=most)
