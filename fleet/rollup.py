"""One record per agent: what is measured of it, in a fixed number of queries for any number of agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db.models import Count, Q

from agents.backlog import pending_object_counts
from agents.models import Agent
from agents.querysets import AgentQuerySet
from agents.silence import grace_of, is_silent
from health.models import DeploymentHealth, HealthStatus
from workorders.matching import pending_counts
from workorders.models import WorkOrder

_NAMED = 1000


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """The record of one agent. Ages are in whole seconds and never negative."""

    agent_id: UUID
    name: str
    cluster_name: str
    status: str
    last_heartbeat: datetime | None
    heartbeat_age_seconds: int | None
    silent: bool
    silent_after_seconds: int
    pending_object_count: int
    pending_work_orders: int
    claimed_work_orders: int
    last_event_at: datetime | None
    seconds_since_last_event: int | None
    health_failing: int
    health_degraded: int
    k8s_reachable: bool | None
    k8s_api_latency_ms: int | None
    # Always false: agents poll, and there is no WebSocket.
    ws_connected: bool = False
    connected_since: datetime | None = None


def fleet_agents() -> AgentQuerySet:
    """The live agents, with the columns that `records` needs."""
    return Agent.objects.active().with_heartbeat()


def records(agents: Sequence[Agent], *, now: datetime, are_all: bool = False) -> list[AgentRecord]:
    """The records of agents that came from `fleet_agents`, in the same order. `are_all` says that they are all agents.

    Queries name the agents if they are some and not many: to name all would cost more than to read their rows.
    """
    among = None if are_all or len(agents) > _NAMED else [agent.pk for agent in agents]
    objects, orders = pending_object_counts(among), pending_counts(among)
    claimed, troubles = _claimed_counts(among), _trouble_counts(among, now)
    lines = []
    for agent in agents:
        beat = agent.heartbeat
        failing, degraded = troubles.get(agent.pk, (0, 0))
        lines.append(
            AgentRecord(
                agent_id=agent.pk,
                name=agent.name,
                cluster_name=agent.cluster_name,
                status=agent.status,
                last_heartbeat=beat.last_heartbeat,
                heartbeat_age_seconds=_age(beat.last_heartbeat, now),
                silent=is_silent(agent, now),
                silent_after_seconds=int(grace_of(agent).total_seconds()),
                pending_object_count=objects.get(agent.pk, 0),
                pending_work_orders=orders.get(agent.pk, 0),
                claimed_work_orders=claimed.get(agent.pk, 0),
                last_event_at=beat.last_report_at,
                seconds_since_last_event=_age(beat.last_report_at, now),
                health_failing=failing,
                health_degraded=degraded,
                k8s_reachable=beat.k8s_reachable,
                k8s_api_latency_ms=beat.k8s_api_latency_ms,
            )
        )
    return lines


def _claimed_counts(among: Sequence[UUID] | None) -> dict[UUID, int]:
    orders = WorkOrder.objects.claimed()
    if among is not None:
        orders = orders.filter(claimed_by__in=among)
    rows = orders.order_by().values_list("claimed_by_id").annotate(orders=Count("pk"))
    return {cast(UUID, agent_id): count for agent_id, count in rows}


def _trouble_counts(among: Sequence[UUID] | None, now: datetime) -> dict[UUID, tuple[int, int]]:
    """By agent, how many versions are failing and how many are degraded, by health statuses that are not stale."""
    words = DeploymentHealth.objects.in_trouble().fresh(now).of_live_objects()
    if among is not None:
        words = words.filter(agent__in=among)
    rows = (
        words.order_by()
        .values_list("agent_id")
        .annotate(
            failing=Count("pk", filter=Q(status=HealthStatus.FAILING)),
            degraded=Count("pk", filter=Q(status=HealthStatus.DEGRADED)),
        )
    )
    return {agent_id: (failing, degraded) for agent_id, failing, degraded in rows}


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, int((now - at).total_seconds()))
