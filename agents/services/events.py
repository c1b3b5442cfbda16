"""What agents report."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from agents.errors import AgentNotFound
from agents.models import Agent, AgentEvent, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, emit
from stacks.models import DeploymentObject, Stack

# An agent that re-applies its whole state on each poll says the same thing every few seconds.
REPEAT_WINDOW = timedelta(hours=1)


@transaction.atomic
def report_event(
    *,
    agent_id: UUID,
    deployment_object_id: UUID,
    event_type: str,
    status: EventStatus,
    message: str | None,
    actor: Actor,
) -> AgentEvent:
    """Record an agent's report on a deployment object, live or deleted.

    The same report within an hour of the first counts that event up instead of adding a row, and is not
    announced again. SUCCESS on a deletion marker ends its delivery. A first report on a stack
    that was deleted meanwhile makes its marker due: the agent has just deployed what it must remove.
    Raises AgentNotFound, and ForeignKeyViolation for an unknown object.
    """
    obj = (
        DeploymentObject.objects.filter(id=deployment_object_id).only("sequence_id", "id", "stack_id").first()
    )
    if obj is None:
        raise ForeignKeyViolation(
            "There is no such deployment object.",
            constraint="agent_events_deployment_object_id_fkey",
            deployment_object_id=deployment_object_id,
        )
    came_too_late = _lock(agent_id=agent_id, stack_id=obj.stack_id)
    now = timezone.now()
    _note_report(agent_id=agent_id, obj=obj, status=status, message=message, now=now)
    if came_too_late:
        _owe_marker(agent_id=agent_id, obj=obj)
    if status == EventStatus.SUCCESS:
        MarkerDelivery.objects.filter(agent_id=agent_id, marker=obj).delete()
    earlier = (
        AgentEvent.objects.active()
        .filter(
            agent_id=agent_id,
            deployment_object=obj,
            event_type=event_type,
            status=status,
            message=message,
            created_at__gt=now - REPEAT_WINDOW,
        )
        .order_by("-created_at")
        .first()
    )
    if earlier is not None:
        AgentEvent.objects.filter(pk=earlier.pk).update(count=F("count") + 1, updated_at=now)
        earlier.refresh_from_db()
        return earlier
    event = AgentEvent.objects.create(
        agent_id=agent_id,
        deployment_object_id=obj.id,
        event_type=event_type,
        status=status,
        message=message,
        created_at=now,
        updated_at=now,
    )
    _tell(event, obj.stack_id, actor)
    return event


def _lock(*, agent_id: UUID, stack_id: UUID) -> bool:
    """Put the agent's reports, and its deletion, in a queue. Raises AgentNotFound.

    The agent's first report on a stack also waits for the stack, so that a deletion at the same time either
    finds the report or is found by it: True is a first report on a stack that is deleted.
    """
    came_too_late = False
    if not StackReport.objects.filter(agent_id=agent_id, stack_id=stack_id).exists():
        # Before the agent, the order in which everybody locks.
        stack = Stack.objects.select_for_update(no_key=True).get(id=stack_id)
        came_too_late = stack.deleted_at is not None
    if not Agent.objects.active().select_for_update(no_key=True).filter(id=agent_id).values_list("id"):
        raise AgentNotFound(id=agent_id)
    return came_too_late


def _note_report(
    *, agent_id: UUID, obj: DeploymentObject, status: EventStatus, message: str | None, now: datetime
) -> None:
    """Keep the latest word on the stack. The agent is locked."""
    report, _ = StackReport.objects.get_or_create(
        agent_id=agent_id, stack_id=obj.stack_id, defaults={"since": now, "reported_at": now}
    )
    if obj.sequence_id < report.sequence_id:
        return
    if (obj.sequence_id, status) != (report.sequence_id, report.status):
        report.since = now
    report.sequence_id, report.status, report.message, report.reported_at = (
        obj.sequence_id,
        status,
        message,
        now,
    )
    report.save(update_fields=["sequence_id", "status", "message", "since", "reported_at"])


def _owe_marker(*, agent_id: UUID, obj: DeploymentObject) -> None:
    markers = DeploymentObject.objects.active().filter(
        stack_id=obj.stack_id, is_deletion_marker=True, sequence_id__gt=obj.sequence_id
    )
    MarkerDelivery.objects.bulk_create(
        [MarkerDelivery(agent_id=agent_id, marker=marker) for marker in markers.only("sequence_id")],
        ignore_conflicts=True,
    )


def _tell(event: AgentEvent, stack_id: UUID, actor: Actor) -> None:
    kind = "deployment.applied" if event.status == EventStatus.SUCCESS else "deployment.failed"
    emit(
        Event(
            kind=kind,
            resource_type="agent_event",
            resource_id=event.id,
            actor=actor,
            audited=False,
            notice=kind,
            payload={
                "agent_event_id": event.id,
                "agent_id": event.agent_id,
                "deployment_object_id": event.deployment_object_id,
                "stack_id": stack_id,
                "event_type": event.event_type,
                "status": event.status,
                "message": event.message,
                "created_at": event.created_at,
            },
        )
    )
