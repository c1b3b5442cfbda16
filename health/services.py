"""Stores the health statuses that agents report, and deletes old ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from agents.models import Agent
from agents.services.agents import lock_speaking_agent
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, emit
from core.history import kept_since
from core.retention import delete_in_steps
from health.errors import InvalidHealthRecord
from health.event_kinds import HealthEventKind
from health.models import DeploymentHealth, HealthChange, HealthStatus
from health.querysets import fresh_since
from health.signals import health_reported
from stacks.models import DeploymentObject


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The health that an agent reports for one version. The service checks `status`."""

    deployment_object_id: UUID
    status: str
    checked_at: datetime
    summary: Mapping[str, Any] | None = None


@transaction.atomic
def report_health(*, agent_id: UUID, reports: Sequence[HealthReport], actor: Actor, now: datetime) -> None:
    """Store the health reports, all or none; of two for one version the last counts. Repeats are stored, not announced.

    An event announces every status that differs from the one before, and every first status other than `healthy`.
    The number of statements does not depend on the number of health reports.
    Raises InvalidHealthRecord, AgentNotFound, and ForeignKeyViolation for an unknown version.
    """
    for index, report in enumerate(reports):
        if report.status not in HealthStatus:
            raise InvalidHealthRecord(index=index, status=report.status)
    latest = {report.deployment_object_id: report for report in reports}
    # The lock puts the agent's health reports and its deletion in a queue, so that each change is announced once.
    agent = lock_speaking_agent(agent_id)
    stacks = _stacks_of(latest)
    said = DeploymentHealth.objects.filter(agent=agent, deployment_object__id__in=latest).defer("summary")
    before = {health.deployment_object_id: health for health in said}
    since = {object_id: _since(before.get(object_id), report, now) for object_id, report in latest.items()}
    DeploymentHealth.objects.bulk_create(
        [
            DeploymentHealth(
                agent=agent,
                deployment_object_id=object_id,
                status=report.status,
                summary=None if report.summary is None else orjson.dumps(report.summary).decode(),
                checked_at=report.checked_at,
                since=since[object_id],
                created_at=now,
                updated_at=now,
            )
            for object_id, report in latest.items()
        ],
        update_conflicts=True,
        unique_fields=["agent", "deployment_object"],
        update_fields=["status", "summary", "checked_at", "since", "updated_at"],
    )
    # The history costs repeats nothing: bulk_create of no rows sends no statement.
    HealthChange.objects.bulk_create(
        HealthChange(agent_id=agent_id, deployment_object_id=object_id, status=report.status, at=now)
        for object_id, report in latest.items()
        if since[object_id] == now
    )
    changes = [
        Event(
            kind=HealthEventKind.HEALTH_CHANGED,
            resource_type="deployment_object",
            resource_id=object_id,
            actor=actor,
            details={
                "agent_id": str(agent_id),
                "stack_id": str(stacks[object_id]),
                "from": before[object_id].status if object_id in before else None,
                "to": report.status,
            },
            at=now,
        )
        for object_id, report in latest.items()
        if report.status != (before[object_id].status if object_id in before else HealthStatus.HEALTHY)
    ]
    if changes:
        emit(*changes)
    health_reported.send(sender=DeploymentHealth, object_ids=frozenset(latest))


def _since(before: DeploymentHealth | None, report: HealthReport, now: datetime) -> datetime:
    is_same = before is not None and before.status == report.status and before.updated_at >= fresh_since(now)
    return before.since if before is not None and is_same else now


def _stacks_of(object_ids: Mapping[UUID, HealthReport]) -> dict[UUID, UUID]:
    """The stack of each version."""
    stacks = dict(DeploymentObject.objects.filter(id__in=object_ids).values_list("id", "stack_id"))
    if missing := [object_id for object_id in object_ids if object_id not in stacks]:
        raise ForeignKeyViolation(
            "There is no such deployment object.",
            constraint="deployment_health_deployment_object_id_fkey",
            deployment_object_id=missing[0],
        )
    return stacks


def forget_agent(*, agent: Agent) -> None:
    """Delete the health statuses of a deleted agent."""
    DeploymentHealth.objects.filter(agent=agent).delete()


def delete_old_health(*, now: datetime) -> int:
    """Delete statuses that have not been repeated for as long as the setting says. Returns their number."""
    if not settings.HEALTH_RETENTION_DAYS:
        return 0
    older_than = now - timedelta(days=settings.HEALTH_RETENTION_DAYS)
    # No index has this order, on purpose: see the model. Rows are few, one for each agent and version.
    return delete_in_steps(DeploymentHealth.objects.filter(updated_at__lt=older_than).order_by("pk"))


def delete_old_changes(*, now: datetime) -> int:
    """Delete the changes of health that are older than the history is kept. Returns their number."""
    since = kept_since(now)
    return delete_in_steps(HealthChange.objects.filter(at__lt=since).order_by("at", "id")) if since else 0
