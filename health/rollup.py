"""Sums up the health statuses of many agents. A stale status counts as `unknown`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.prepared import as_time, as_uuid, fetch_all, time_parameter, uuid_parameter
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


# A marker for one agent is no version of the stack. Without saying so, the index of its versions is of no use.
_OF_STACK = """
SELECT o.id, o.sequence_id,
    count(*) FILTER (WHERE h.updated_at >= %(since)s AND h.status = 'healthy'),
    count(*) FILTER (WHERE h.updated_at >= %(since)s AND h.status = 'degraded'),
    count(*) FILTER (WHERE h.updated_at >= %(since)s AND h.status = 'failing'),
    count(*) FILTER (WHERE h.updated_at < %(since)s OR h.status NOT IN ('healthy', 'degraded', 'failing')),
    max(h.updated_at)
FROM deployment_objects o JOIN deployment_health h ON h.deployment_object_id = o.id
WHERE o.stack_id = %(stack)s AND o.recipient_id IS NULL AND o.deleted_at IS NULL
GROUP BY o.id, o.sequence_id ORDER BY o.sequence_id DESC
"""


def health_of_stack(stack_id: UUID, *, now: datetime) -> Sequence[ObjectHealth]:
    """The live versions of a stack that have a health status, newest first. One query."""
    parameters = {"stack": uuid_parameter(stack_id), "since": time_parameter(fresh_since(now))}
    rows = fetch_all(_OF_STACK, parameters)
    return [
        ObjectHealth(
            id=as_uuid(object_id),
            sequence_id=sequence_id,
            healthy_agents=healthy,
            degraded_agents=degraded,
            failing_agents=failing,
            unknown_agents=unknown,
            observed_at=as_time(observed_at),
        )
        for object_id, sequence_id, healthy, degraded, failing, unknown, observed_at in rows
    ]
