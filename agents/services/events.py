"""What agents report."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from agents.errors import AgentNotFound
from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentEvent, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, emit
from core.prepared import uuid_parameter
from core.prepared_rows import LIVE_BY_ID, among, insert, list_parameter, select
from core.retention import delete_in_steps
from stacks.models import DeploymentObject, Stack

# An agent that re-applies its whole state on each poll says the same thing every few seconds.
REPEAT_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent says of one deployment object."""

    deployment_object_id: UUID
    event_type: str
    status: EventStatus
    message: str | None = None


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
    report = Report(deployment_object_id, event_type, status, message)
    obj = _objects([report]).get(deployment_object_id)
    if obj is None:
        raise _unknown(report)
    (event,) = _record(agent_id=agent_id, reports=[(report, obj)], actor=actor)
    return event


@transaction.atomic
def report_events(*, agent_id: UUID, reports: Sequence[Report], actor: Actor) -> list[AgentEvent]:
    """Record reports as if they had come one after another, all or none; their events in the same order.

    Reports that say the same share one event. The number of statements does not grow with that of the reports.
    Raises AgentNotFound, and ForeignKeyViolation with the index of the first report on an unknown object.
    """
    objects = _objects(reports)
    for index, report in enumerate(reports):
        if report.deployment_object_id not in objects:
            raise _unknown(report, index=index)
    pairs = [(report, objects[report.deployment_object_id]) for report in reports]
    return _record(agent_id=agent_id, reports=pairs, actor=actor)


def delete_old_events(*, now: datetime) -> int:
    """Delete events that are older than the setting says; the number deleted.

    The latest word of each agent on each stack has a table of its own and stays.
    """
    if not settings.AGENT_EVENTS_RETENTION_DAYS:
        return 0
    kept_since = now - timedelta(days=settings.AGENT_EVENTS_RETENTION_DAYS)
    return delete_in_steps(AgentEvent.objects.filter(created_at__lt=kept_since).order_by("created_at", "id"))


# Of a stack on which the agent has not reported.
_UNREPORTED = """NOT EXISTS (
    SELECT 1 FROM agent_stack_reports r WHERE r.stack_id = stacks.id AND r.agent_id = %(agent)s
)"""
# A report with the object it is about; of the object only what _objects reads.
_Pair = tuple[Report, DeploymentObject]


def _objects(reports: Sequence[Report]) -> dict[UUID, DeploymentObject]:
    ids = {report.deployment_object_id for report in reports}
    rows = select(
        DeploymentObject,
        among("id", "ids"),
        {"ids": list_parameter(ids)},
        columns=["sequence_id", "id", "stack_id", "is_deletion_marker"],
    )
    return {obj.id: obj for obj in rows}


def _unknown(report: Report, **where: int) -> ForeignKeyViolation:
    return ForeignKeyViolation(
        "There is no such deployment object.",
        constraint="agent_events_deployment_object_id_fkey",
        deployment_object_id=report.deployment_object_id,
        **where,
    )


def _record(*, agent_id: UUID, reports: Sequence[_Pair], actor: Actor) -> list[AgentEvent]:
    came_too_late = _lock(agent_id=agent_id, stack_ids={obj.stack_id for _, obj in reports})
    now = timezone.now()
    _note_reports(agent_id=agent_id, reports=reports, now=now)
    if came_too_late:
        # The first report on a stack is the late one; after it the stack has been reported on.
        first = {obj.stack_id: obj for _, obj in reversed(reports)}
        _owe_markers(agent_id=agent_id, objects=[first[stack_id] for stack_id in came_too_late])
    acknowledged = {
        obj.pk for report, obj in reports if obj.is_deletion_marker and report.status == EventStatus.SUCCESS
    }
    if acknowledged:
        MarkerDelivery.objects.filter(agent_id=agent_id, marker__in=acknowledged).delete()
    return _write_events(agent_id=agent_id, reports=reports, now=now, actor=actor)


def _lock(*, agent_id: UUID, stack_ids: Set[UUID]) -> Set[UUID]:
    """Put the agent's reports, and its deletion, in a queue. Raises AgentNotFound.

    The agent's first report on a stack also waits for the stack, so that a deletion at the same time either
    finds the report or is found by it: returned are the stacks of first reports that are deleted.
    """
    # Before the agent, and by id: the order in which everybody locks.
    new = select(
        Stack,
        f"{among('id', 'stacks')} AND {_UNREPORTED} ORDER BY id",
        _pairs(agent_id, stack_ids),
        columns=["id", "deleted_at"],
        lock=True,
    )
    if not select(Agent, LIVE_BY_ID, {"id": uuid_parameter(agent_id)}, columns=["id"], lock=True):
        raise AgentNotFound(id=agent_id)
    return {stack.id for stack in new if stack.deleted_at is not None}


def _near() -> str:
    """The condition for the agent's rows on the stacks of `_pairs`."""
    return f"agent_id = %(agent)s AND {among('stack_id', 'stacks')}"


def _pairs(agent_id: UUID, stack_ids: Set[UUID]) -> dict[str, object]:
    return {"agent": uuid_parameter(agent_id), "stacks": list_parameter(stack_ids)}


def _note_reports(*, agent_id: UUID, reports: Sequence[_Pair], now: datetime) -> None:
    """Keep the latest word on each stack. The agent is locked."""
    pairs = _pairs(agent_id, {obj.stack_id for _, obj in reports})
    known = {row.stack_id: row for row in select(StackReport, _near(), pairs)}
    changed: dict[UUID, StackReport] = {}
    for report, obj in reports:
        row = known.get(obj.stack_id)
        if row is None:
            row = known[obj.stack_id] = StackReport(
                agent_id=agent_id, stack_id=obj.stack_id, since=now, reported_at=now
            )
        if obj.sequence_id < row.sequence_id:
            continue
        if (obj.sequence_id, report.status) != (row.sequence_id, row.status):
            row.since = now
        row.sequence_id, row.status, row.message, row.reported_at = (
            obj.sequence_id,
            report.status,
            report.message,
            now,
        )
        changed[obj.stack_id] = row
    insert(
        list(changed.values()),
        unique=["agent", "stack"],
        update=["sequence_id", "status", "message", "since", "reported_at"],
    )


def _owe_markers(*, agent_id: UUID, objects: Sequence[DeploymentObject]) -> None:
    reported = {obj.stack_id: obj.sequence_id for obj in objects}
    markers = DeploymentObject.objects.active().filter(
        stack_id__in=reported, is_deletion_marker=True, sequence_id__gt=min(reported.values())
    )
    MarkerDelivery.objects.bulk_create(
        [
            MarkerDelivery(agent_id=agent_id, marker=marker)
            for marker in markers.only("sequence_id", "stack_id")
            if marker.sequence_id > reported[marker.stack_id]
        ],
        ignore_conflicts=True,
    )


def _write_events(
    *, agent_id: UUID, reports: Sequence[_Pair], now: datetime, actor: Actor
) -> list[AgentEvent]:
    """One event per different report, new or counted up. The agent is locked."""
    events = _recent_events(agent_id=agent_id, reports=[report for report, _ in reports], now=now)
    repeats: Counter[UUID] = Counter()
    new: dict[Report, tuple[AgentEvent, UUID]] = {}
    for report, obj in reports:
        event = events.get(report)
        if event is None:
            event = events[report] = AgentEvent(
                agent_id=agent_id,
                deployment_object_id=obj.id,
                event_type=report.event_type,
                status=report.status,
                message=report.message,
                created_at=now,
                updated_at=now,
            )
            new[report] = event, obj.stack_id
        else:
            event.count += 1
            if report not in new:
                event.updated_at = now
                repeats[event.pk] += 1
    for times in set(repeats.values()):
        again = [pk for pk, count in repeats.items() if count == times]
        AgentEvent.objects.filter(pk__in=again).update(count=F("count") + times, updated_at=now)
    insert([event for event, _ in new.values()])
    if new:
        emit(*(_told(event, stack_id, actor) for event, stack_id in new.values()))
    return [events[report] for report, _ in reports]


def _recent_events(*, agent_id: UUID, reports: Sequence[Report], now: datetime) -> dict[Report, AgentEvent]:
    """The agent's events on these objects in the window, by what they say."""
    recent = (
        f"agent_id = %(agent)s AND {among('deployment_object_id', 'objects')}"
        f" AND created_at > %(since)s AND deleted_at IS NULL ORDER BY created_at"
    )
    parameters = {
        "agent": uuid_parameter(agent_id),
        "objects": list_parameter({report.deployment_object_id for report in reports}),
        "since": now - REPEAT_WINDOW,
    }
    rows = select(AgentEvent, recent, parameters)
    # The newest of those that say the same stays.
    return {
        Report(event.deployment_object_id, event.event_type, EventStatus(event.status), event.message): event
        for event in rows
    }


def _told(event: AgentEvent, stack_id: UUID, actor: Actor) -> Event:
    succeeded = event.status == EventStatus.SUCCESS
    return Event(
        kind=AgentEventKind.DEPLOYMENT_APPLIED if succeeded else AgentEventKind.DEPLOYMENT_FAILED,
        resource_type="agent_event",
        resource_id=event.id,
        actor=actor,
        audited=False,
        data={
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
