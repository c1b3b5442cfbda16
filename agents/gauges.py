"""Metrics about agents, computed at each scrape."""

from collections.abc import Iterable

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric

from agents.models import Agent
from agents.unending_holds import agents_held_back, unending_holds
from core import clock
from core.metrics import gauges


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
    seen = Agent.objects.active().filter(heartbeat__last_heartbeat__isnull=False)
    for agent_id, name, at in seen.values_list("id", "name", "heartbeat__last_heartbeat").iterator():
        assert at is not None  # noqa: S101  # filtered above
        ages.add_metric([str(agent_id), name], max(0.0, (now - at).total_seconds()))
    yield ages
