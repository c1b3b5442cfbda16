"""Sums up the health statuses of many agents. A stale status counts as `unknown`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Q

from health.models import DeploymentHealth, HealthStatus
from health.querysets import fresh_since

_WORST_FIRST = (HealthStatus.FAILING, HealthStatus.DEGRADED, HealthStatus.HEALTHY)


@dataclass(frozen=True, slots=True)
class ObjectHealth:
    """How many agents report each status for one version. `observed_at` is when the broker last received one."""

    id: UUID
    sequence_id: int
    healthy_agents: int
    degraded_agents: int
    failing_agents: int
    unknown_agents: int
    observed_at: datetime

    @property
    def status(self) -> HealthStatus:
        counts = {
            HealthStatus.FAILING: self.failing_agents,
            HealthStatus.DEGRADED: self.degraded_agents,
            HealthStatus.HEALTHY: self.healthy_agents,
        }
        return overall(status for status, count in counts.items() if count)


def overall(statuses: Iterable[str]) -> HealthStatus:
    """The worst status; `unknown` only when there is no other."""
    said = set(statuses)
    return next((status for status in _WORST_FIRST if status in said), HealthStatus.UNKNOWN)


def effective_status(health: DeploymentHealth, now: datetime) -> HealthStatus:
    """The status itself, or `unknown` when it is stale."""
    return HealthStatus(health.status) if health.updated_at >= fresh_since(now) else HealthStatus.UNKNOWN


def health_of_stack(stack_id: UUID, *, now: datetime) -> Sequence[ObjectHealth]:
    """The live versions of a stack that have a health status, newest first. One query."""
    fresh = Q(updated_at__gte=fresh_since(now))
    said = {status: fresh & Q(status=status) for status in _WORST_FIRST}
    known = said[HealthStatus.FAILING] | said[HealthStatus.DEGRADED] | said[HealthStatus.HEALTHY]
    rows = (
        DeploymentHealth.objects.of_live_objects()
        # A marker for one agent is no version of the stack. Without saying so, the index of its versions is of no use.
        .filter(deployment_object__stack_id=stack_id, deployment_object__recipient_id__isnull=True)
        .order_by("-deployment_object__sequence_id")
        .values_list("deployment_object__id", "deployment_object__sequence_id")
        .annotate(
            healthy=Count("pk", filter=said[HealthStatus.HEALTHY]),
            degraded=Count("pk", filter=said[HealthStatus.DEGRADED]),
            failing=Count("pk", filter=said[HealthStatus.FAILING]),
            unknown=Count("pk", filter=~known),
            observed_at=Max("updated_at"),
        )
    )
    return [ObjectHealth(*row) for row in rows]
