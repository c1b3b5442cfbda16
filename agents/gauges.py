"""Metrics about agents, computed at each scrape."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from agents.models import Agent
from agents.models.event import EventStatus
from agents.unending_holds import agents_held_back, unending_holds
from core import clock
from core.metrics import gauges

# Agents say what they like, and each word would be a series.
_MOST_VERSIONS = 20
# By the agents' latest word on each live stack: on its newest version or on an older one.
# Materialized, or PostgreSQL would look for the newest version once for each report.
_REPORTS = """
WITH newest AS MATERIALIZED (
    SELECT s.id AS stack_id, (
        SELECT max(o.sequence_id) FROM deployment_objects o
        WHERE o.stack_id = s.id AND o.deleted_at IS NULL AND o.recipient_id IS NULL
    ) AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL
)
SELECT r.status, n.sequence_id = r.sequence_id, count(*)
FROM agent_stack_reports r
JOIN agents a ON a.id = r.agent_id AND a.deleted_at IS NULL
JOIN newest n ON n.stack_id = r.stack_id AND n.sequence_id IS NOT NULL
GROUP BY 1, 2
"""


@gauges
def agent_gauges() -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "brokkr_active_agents",
        "Live agents whose status is ACTIVE.",
        value=Agent.objects.active().working().count(),
    )
    yield GaugeMetricFamily(
        "brokkr_agents_held_back",
        "Live agents that serve a stack whose newest held version is not released to them.",
        value=agents_held_back(registration=settings.REQUIRE_REGISTRATION),
    )
    yield GaugeMetricFamily(
        "brokkr_unending_holds",
        "Holds of versions that nobody will end; manage.py check_holds lists them.",
        value=len(unending_holds()),
    )
    ages = GaugeMetricFamily(
        "brokkr_agent_heartbeat_age_seconds",
        "Seconds since the agent's last heartbeat; agents that never sent one are missing.",
        labels=["agent_id", "agent_name"],
    )
    now = clock.now()
    yield _states(now)
    yield _versions()
    yield _reports()
    seen = Agent.objects.active().filter(heartbeat__last_heartbeat__isnull=False)
    for agent_id, name, at in seen.values_list("id", "name", "heartbeat__last_heartbeat").iterator():
        assert at is not None  # noqa: S101  # filtered above
        ages.add_metric([str(agent_id), name], max(0.0, (now - at).total_seconds()))
    yield ages


def _states(now: datetime) -> Metric:
    working, live = Agent.objects.active().working(), Agent.objects.active()
    counts = {
        "heard": working.heard(now).count(),
        "silent": working.silent(now).count(),
        "never_heard": working.never_heard().count(),
        "inactive": live.count() - working.count(),
    }
    family = GaugeMetricFamily(
        "brokkr_agents",
        "Live agents: heard, silent or never_heard among those that are ACTIVE, and inactive ones.",
        labels=["state"],
    )
    for state, count in counts.items():
        family.add_metric([state], count)
    return family


def _versions() -> Metric:
    rows = Agent.objects.active().order_by().values_list("heartbeat__agent_version").annotate(Count("pk"))
    counts = sorted(rows, key=lambda row: (-row[1], row[0] or ""))
    family = GaugeMetricFamily(
        "brokkr_agent_versions",
        "Live agents by the release that they say they are: the twenty most frequent, other, or unknown.",
        labels=["agent_version"],
    )
    for version, count in counts[:_MOST_VERSIONS]:
        family.add_metric([version or "unknown"], count)
    family.add_metric(["other"], sum(count for _, count in counts[_MOST_VERSIONS:]))
    return family


def _reports() -> Metric:
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS)
        found = {(status, bool(is_newest)): count for status, is_newest, count in cursor.fetchall()}
    family = GaugeMetricFamily(
        "brokkr_agent_reports",
        "Latest reports of agents on live stacks, on the stack's newest version or on an older one.",
        labels=["version", "status"],
    )
    for is_newest, version in ((True, "newest"), (False, "older")):
        for status in EventStatus:
            family.add_metric([version, status.value], found.get((status.value, is_newest), 0))
    return family
