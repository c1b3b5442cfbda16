"""Recording and deleting what agents report."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from agents.errors import AgentNotFound
from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentEvent, AgentHeartbeat, AgentOffer, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from agents.report_texts import same_text
from agents.services.removals import owe_late_removals, replace_removals
from core import clock
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, emit
from core.prepared import time_parameter, uuid_parameter
from core.prepared_rows import LIVE_BY_ID, among, insert, list_parameter, select, update
from core.retention import delete_in_steps
from stacks.models import DeploymentObject, Stack
from stacks.secret_values import without_secrets


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent says of one deployment object."""

    deployment_object_id: UUID
    event_type: str
    status: EventStatus
    message: str | None = None

    def repeats(self, event_type: str, status: str, message: str | None) -> bool:
        """Whether it says the same as an earlier report on the same object with these values."""
        return (self.event_type, self.status) == (event_type, status) and same_text(self.message, message)


@dataclass(frozen=True, slots=True)
class _Known:
    """The latest report on a stack before the present one."""

    sequence_id: int
    status: str
    message: str | None

    def is_repeated(self, report: Report, obj: DeploymentObject) -> bool:
        return obj.sequence_id == self.sequence_id and report.repeats(
            report.event_type, self.status, self.message
        )


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

    If the report says the same as the agent's latest report on the object, it raises the count of that event, adds no
    row and is not announced again, however much later it comes. SUCCESS on a deletion marker ends the marker's
    delivery. If the marker is for this agent only, the agent's reports on the stack are forgotten too, because the
    agent no longer has it. After the first report on a stack that was deleted, or that the agent lost, the removal is
    owed, because the agent has just deployed what it must remove.
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
    """Record reports as if they came one after another, all or none. Returns their events in the same order.

    Consecutive reports that say the same about one object share one event. The number of statements does not depend
    on the number of reports.
    Raises AgentNotFound, and ForeignKeyViolation with the index of the first report on an unknown object.
    """
    objects = _objects(reports)
    for index, report in enumerate(reports):
        if report.deployment_object_id not in objects:
            raise _unknown(report, index=index)
    pairs = [(report, objects[report.deployment_object_id]) for report in reports]
    return _record(agent_id=agent_id, reports=pairs, actor=actor)


def delete_old_events(*, now: datetime) -> int:
    """Delete events whose last report is older than the setting says; the number deleted.

    The latest report of each agent on each stack has its own table and stays.
    """
    if not settings.AGENT_EVENTS_RETENTION_DAYS:
        return 0
    kept_since = now - timedelta(days=settings.AGENT_EVENTS_RETENTION_DAYS)
    old = AgentEvent.objects.filter(
        Q(updated_at__lt=kept_since) | Q(deleted_at__isnull=False), created_at__lt=kept_since
    )
    return delete_in_steps(old.order_by("created_at", "id"))


# A condition on stacks: the agent has not reported on the stack.
_UNREPORTED = """NOT EXISTS (
    SELECT 1 FROM agent_stack_reports r WHERE r.stack_id = stacks.id AND r.agent_id = %(agent)s
)"""
# A report with its object. The object has only the columns that _objects reads.
_Pair = tuple[Report, DeploymentObject]


def _objects(reports: Sequence[Report]) -> dict[UUID, DeploymentObject]:
    ids = {report.deployment_object_id for report in reports}
    rows = select(
        DeploymentObject,
        among("id", "ids"),
        {"ids": list_parameter(ids)},
        columns=["sequence_id", "id", "stack_id", "is_deletion_marker", "recipient_id"],
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
    left = _left(agent_id=agent_id, reports=reports)
    first = _lock(agent_id=agent_id, stack_ids={obj.stack_id for _, obj in reports}, left=left.keys())
    now = clock.now()
    latest = _latest_events(agent_id=agent_id, object_ids={obj.id for _, obj in reports})
    if left:
        _forget(agent_id=agent_id, stack_ids=left.keys(), now=now)
    lasting = [
        (report, obj)
        for index, (report, obj) in enumerate(reports)
        if obj.recipient_id is None and index > left.get(obj.stack_id, -1)
    ]
    known = _note_reports(agent_id=agent_id, reports=lasting, now=now)
    # Only the first report on a stack can come too late; for the reports after it, the stack has a report.
    late = {obj.stack_id: obj for _, obj in reversed(lasting) if obj.stack_id in first}
    if deleted := [obj for obj in late.values() if first[obj.stack_id]]:
        _owe_markers(agent_id=agent_id, objects=deleted)
    if living := [stack_id for stack_id in late if not first[stack_id]]:
        owe_late_removals(agent_id=agent_id, stack_ids=living)
    acknowledged = {
        obj.pk for report, obj in reports if obj.is_deletion_marker and report.status == EventStatus.SUCCESS
    }
    if acknowledged:
        MarkerDelivery.objects.filter(agent_id=agent_id, marker__in=acknowledged).delete()
    update(
        AgentHeartbeat,
        "last_report_at = %(now)s",
        "agent_id = %(agent)s",
        {"now": time_parameter(now), "agent": uuid_parameter(agent_id)},
    )
    return _Words(agent_id, left, latest, known, now).write(reports, actor=actor)


def _left(*, agent_id: UUID, reports: Sequence[_Pair]) -> dict[UUID, int]:
    """By stack that is not deleted, the index of the last report that says that this agent has removed it."""
    return {
        obj.stack_id: index
        for index, (report, obj) in enumerate(reports)
        if obj.recipient_id == agent_id and report.status == EventStatus.SUCCESS
    }


def _lock(*, agent_id: UUID, stack_ids: Set[UUID], left: Set[UUID]) -> dict[UUID, bool]:
    """Lock the agent, so that its reports and its deletion wait for each other. Raises AgentNotFound.

    If it is the agent's first report on a stack, the stack is locked too. So a concurrent write that deletes the
    stack, or takes it from the agent, either sees the report or is seen by it. Returns the stacks of first reports,
    and whether each is deleted. For the stacks in `left`, the next report counts as a first one again.
    """
    # The stacks are locked before the agent, by id: all code locks in this order.
    new = select(
        Stack,
        f"{among('id', 'stacks')} AND ({_UNREPORTED} OR {among('id', 'left')}) ORDER BY id",
        _pairs(agent_id, stack_ids) | {"left": list_parameter(left)},
        columns=["id", "deleted_at"],
        lock=True,
    )
    if not select(Agent, LIVE_BY_ID, {"id": uuid_parameter(agent_id)}, columns=["id"], lock=True):
        raise AgentNotFound(id=agent_id)
    return {stack.id: stack.deleted_at is not None for stack in new}


def _near() -> str:
    """The condition for the agent's rows on the stacks of `_pairs`."""
    return f"agent_id = %(agent)s AND {among('stack_id', 'stacks')}"


def _pairs(agent_id: UUID, stack_ids: Set[UUID]) -> dict[str, object]:
    return {"agent": uuid_parameter(agent_id), "stacks": list_parameter(stack_ids)}


def _forget(*, agent_id: UUID, stack_ids: Set[UUID], now: datetime) -> None:
    """Delete the reports and offers of stacks that the locked agent has removed, so that it can get them anew."""
    near = {"agent_id": agent_id, "stack_id__in": stack_ids}
    StackReport.objects.filter(**near).delete()
    AgentOffer.objects.filter(**near).delete()
    events = AgentEvent.objects.active().filter(
        agent_id=agent_id,
        deployment_object__stack__in=stack_ids,
        deployment_object__recipient_id__isnull=True,
    )
    events.update(deleted_at=now, updated_at=now)


def _note_reports(*, agent_id: UUID, reports: Sequence[_Pair], now: datetime) -> dict[UUID, _Known]:
    """Store the latest report on each stack. Returns, by stack, the one before it. The agent is locked."""
    pairs = _pairs(agent_id, {obj.stack_id for _, obj in reports})
    rows = {row.stack_id: row for row in select(StackReport, _near(), pairs)}
    known = {stack_id: _Known(row.sequence_id, row.status, row.message) for stack_id, row in rows.items()}
    changed: dict[UUID, StackReport] = {}
    for report, obj in reports:
        row = rows.get(obj.stack_id)
        if row is None:
            row = rows[obj.stack_id] = StackReport(
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
    return known


def _owe_markers(*, agent_id: UUID, objects: Sequence[DeploymentObject]) -> None:
    reported = {obj.stack_id: obj.sequence_id for obj in objects}
    replace_removals(stack_ids=list(reported), agent_ids=[agent_id])
    markers = DeploymentObject.objects.versions().filter(
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


# The latest of the agent's events on each object, with one index look-up for each.
_LATEST = """id IN (
    SELECT (SELECT e.id FROM agent_events e
            WHERE e.deployment_object_id = o.id AND e.agent_id = %(agent)s AND e.deleted_at IS NULL
            ORDER BY e.created_at DESC, e.id DESC LIMIT 1)
    FROM deployment_objects o WHERE {among}
)"""


def _latest_events(*, agent_id: UUID, object_ids: Set[UUID]) -> dict[UUID, AgentEvent]:
    """By object, the agent's latest event about it. The agent is locked."""
    parameters = {"agent": uuid_parameter(agent_id), "objects": list_parameter(object_ids)}
    events = select(AgentEvent, _LATEST.format(among=among("o.id", "objects")), parameters)
    return {event.deployment_object_id: event for event in events}


@dataclass(slots=True)
class _Words:
    """Makes events of reports: one for each report that differs from the agent's latest one on the same object."""

    agent_id: UUID
    left: Mapping[UUID, int]
    latest: dict[UUID, AgentEvent]
    known: Mapping[UUID, _Known]
    now: datetime
    new: list[AgentEvent] = field(default_factory=list)
    news: list[tuple[AgentEvent, DeploymentObject]] = field(default_factory=list)
    repeats: Counter[AgentEvent] = field(default_factory=Counter)
    reworded: set[AgentEvent] = field(default_factory=set)

    def write(self, reports: Sequence[_Pair], *, actor: Actor) -> list[AgentEvent]:
        """The events, in the order of the reports. The agent is locked."""
        said = []
        stacks = {obj.id: obj.stack_id for _, obj in reports}
        for index, (report, obj) in enumerate(reports):
            said.append(self._say(report, obj, is_over=index < self.left.get(obj.stack_id, -1)))
            if self.left.get(obj.stack_id) == index:
                self.latest = {
                    object_id: event
                    for object_id, event in self.latest.items()
                    if stacks[object_id] != obj.stack_id or object_id == obj.id
                }
        self._count_up()
        insert(self.new)
        if self.news:
            emit(*_told(self.news, actor))
        return said

    def _say(self, report: Report, obj: DeploymentObject, *, is_over: bool) -> AgentEvent:
        event = self.latest.get(obj.id)
        if event is not None and report.repeats(event.event_type, event.status, event.message):
            event.count += 1
            if event.message != report.message:
                event.message = report.message
                self.reworded.add(event)
            if not event._state.adding:
                event.updated_at = self.now
                self.repeats[event] += 1
            return event
        event = AgentEvent(
            agent_id=self.agent_id,
            deployment_object_id=obj.id,
            event_type=report.event_type,
            status=report.status,
            message=report.message,
            created_at=self.now,
            updated_at=self.now,
            deleted_at=self.now if is_over and obj.recipient_id is None else None,
        )
        self.new.append(event)
        known = self.known.get(obj.stack_id)
        # The event of this report was too old to keep; we only know that the report was the latest.
        is_forgotten = obj.id not in self.latest and known is not None and known.is_repeated(report, obj)
        if not is_forgotten:
            self.news.append((event, obj))
        self.latest[obj.id] = event
        return event

    def _count_up(self) -> None:
        plain = {event.pk: times for event, times in self.repeats.items() if event not in self.reworded}
        for times in set(plain.values()):
            again = [pk for pk, count in plain.items() if count == times]
            update(
                AgentEvent,
                "count = count + %(times)s, updated_at = %(now)s",
                among("id", "ids"),
                {"times": times, "now": time_parameter(self.now), "ids": list_parameter(again)},
            )
        if others := [event for event in self.repeats if event in self.reworded]:
            AgentEvent.objects.bulk_update(others, ["count", "message", "updated_at"])


def _told(news: Sequence[tuple[AgentEvent, DeploymentObject]], actor: Actor) -> Iterator[Event]:
    """What the world is told. Values of Secrets are masked, because webhooks lead anywhere."""
    messages = without_secrets((obj.sequence_id, event.message) for event, obj in news)
    for (event, obj), message in zip(news, messages, strict=True):
        succeeded = event.status == EventStatus.SUCCESS
        yield Event(
            kind=AgentEventKind.DEPLOYMENT_APPLIED if succeeded else AgentEventKind.DEPLOYMENT_FAILED,
            resource_type="agent_event",
            resource_id=event.id,
            actor=actor,
            audited=False,
            data={
                "agent_event_id": event.id,
                "agent_id": event.agent_id,
                "deployment_object_id": event.deployment_object_id,
                "stack_id": obj.stack_id,
                "event_type": event.event_type,
                "status": event.status,
                "message": None if event.message is None else message,
                "created_at": event.created_at,
            },
        )
