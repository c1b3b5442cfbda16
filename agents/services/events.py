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
from agents.models import AgentEvent, AgentHeartbeat, AgentOffer, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from agents.report_texts import same_text
from agents.services.removals import owe_late_removals, replace_removals
from agents.services.reported import Subject, earlier_reports, lock_subjects
from core import clock
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, emit
from core.prepared import time_parameter, uuid_parameter
from core.prepared_rows import Insert, Update, among, list_parameter, write
from core.retention import delete_in_steps
from stacks.models import DeploymentObject
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

    def is_repeated(self, report: Report, subject: Subject) -> bool:
        return subject.sequence_id == self.sequence_id and report.repeats(
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
    (event,) = _record(agent_id=agent_id, reports=[report], actor=actor, is_batch=False)
    return event


@transaction.atomic
def report_events(*, agent_id: UUID, reports: Sequence[Report], actor: Actor) -> list[AgentEvent]:
    """Record reports as if they came one after another, all or none. Returns their events in the same order.

    Consecutive reports that say the same about one object share one event. The number of statements does not depend
    on the number of reports.
    Raises AgentNotFound, and ForeignKeyViolation with the index of the first report on an unknown object.
    """
    return _record(agent_id=agent_id, reports=reports, actor=actor, is_batch=True)


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


_Pair = tuple[Report, Subject]


def _lock(*, agent_id: UUID, reports: Sequence[Report], is_batch: bool) -> list[_Pair]:
    """The reports with what they are about. The agent is locked. Raises AgentNotFound and ForeignKeyViolation."""
    subjects, is_alive = lock_subjects(
        agent_id=agent_id,
        object_ids={report.deployment_object_id for report in reports},
        removed={report.deployment_object_id for report in reports if report.status == EventStatus.SUCCESS},
    )
    for index, report in enumerate(reports):
        if report.deployment_object_id not in subjects:
            raise ForeignKeyViolation(
                "There is no such deployment object.",
                constraint="agent_events_deployment_object_id_fkey",
                deployment_object_id=report.deployment_object_id,
                **({"index": index} if is_batch else {}),
            )
    if not is_alive:
        raise AgentNotFound(id=agent_id)
    return [(report, subjects[report.deployment_object_id]) for report in reports]


def _record(*, agent_id: UUID, reports: Sequence[Report], actor: Actor, is_batch: bool) -> list[AgentEvent]:
    pairs = _lock(agent_id=agent_id, reports=reports, is_batch=is_batch)
    left = _left(agent_id=agent_id, reports=pairs)
    now = clock.now()
    earlier = earlier_reports(agent_id=agent_id, object_ids={subject.id for _, subject in pairs})
    if left:
        _forget(agent_id=agent_id, stack_ids=left.keys(), now=now)
    lasting = [
        (report, subject)
        for index, (report, subject) in enumerate(pairs)
        if subject.recipient_id is None and index > left.get(subject.stack_id, -1)
    ]
    rows = {stack_id: row for stack_id, row in earlier.reports.items() if stack_id not in left}
    known = {stack_id: _Known(row.sequence_id, row.status, row.message) for stack_id, row in rows.items()}
    words = _Words(agent_id, left, earlier.events, known, now)
    said = words.say(pairs)
    write(
        Insert(
            _latest_reports(agent_id=agent_id, reports=lasting, rows=rows, now=now),
            unique=["agent", "stack"],
            update=["sequence_id", "status", "message", "since", "reported_at"],
        ),
        Update(
            AgentHeartbeat,
            "last_report_at = %(now)s",
            "agent_id = %(agent)s",
            {"now": time_parameter(now), "agent": uuid_parameter(agent_id)},
        ),
        Insert(words.new),
        *words.repeated(),
    )
    words.reword()
    # Only the first report on a stack can come too late; for the reports after it, the stack has a report.
    late = {subject.stack_id: subject for _, subject in reversed(lasting) if subject.is_first}
    if deleted := [subject for subject in late.values() if subject.is_stack_deleted]:
        _owe_markers(agent_id=agent_id, subjects=deleted)
    if living := [stack_id for stack_id, subject in late.items() if not subject.is_stack_deleted]:
        owe_late_removals(agent_id=agent_id, stack_ids=living)
    acknowledged = {
        subject.sequence_id
        for report, subject in pairs
        if subject.is_deletion_marker and report.status == EventStatus.SUCCESS
    }
    if acknowledged:
        MarkerDelivery.objects.filter(agent_id=agent_id, marker__in=acknowledged).delete()
    if words.news:
        emit(*_told(words.news, actor))
    return said


def _left(*, agent_id: UUID, reports: Sequence[_Pair]) -> dict[UUID, int]:
    """By stack that is not deleted, the index of the last report that says that this agent has removed it."""
    return {
        subject.stack_id: index
        for index, (report, subject) in enumerate(reports)
        if subject.recipient_id == agent_id and report.status == EventStatus.SUCCESS
    }


def _forget(*, agent_id: UUID, stack_ids: Set[UUID], now: datetime) -> None:
    """Delete the reports and offers of stacks that the locked agent has removed, so that it can get them anew."""
    near = {"agent_id": agent_id, "stack_id__in": stack_ids}
    StackReport.objects.filter(**near).delete()
    AgentOffer.objects.filter(**near).delete()
    # Processes remember which offers they have noted, until this changes.
    AgentHeartbeat.objects.filter(agent=agent_id).update(offers_forgotten_at=now)
    events = AgentEvent.objects.active().filter(
        agent_id=agent_id,
        deployment_object__stack__in=stack_ids,
        deployment_object__recipient_id__isnull=True,
    )
    events.update(deleted_at=now, updated_at=now)


def _latest_reports(
    *, agent_id: UUID, reports: Sequence[_Pair], rows: dict[UUID, StackReport], now: datetime
) -> list[StackReport]:
    """The latest report on each stack, as it is to be stored; `rows` are those before, by stack."""
    changed: dict[UUID, StackReport] = {}
    for report, subject in reports:
        row = rows.get(subject.stack_id)
        if row is None:
            row = rows[subject.stack_id] = StackReport(
                agent_id=agent_id, stack_id=subject.stack_id, since=now, reported_at=now
            )
        if subject.sequence_id < row.sequence_id:
            continue
        if (subject.sequence_id, report.status) != (row.sequence_id, row.status):
            row.since = now
        row.sequence_id, row.status, row.message, row.reported_at = (
            subject.sequence_id,
            report.status,
            report.message,
            now,
        )
        changed[subject.stack_id] = row
    return list(changed.values())


def _owe_markers(*, agent_id: UUID, subjects: Sequence[Subject]) -> None:
    reported = {subject.stack_id: subject.sequence_id for subject in subjects}
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


@dataclass(slots=True)
class _Words:
    """Makes events of reports: one for each report that differs from the agent's latest one on the same object."""

    agent_id: UUID
    left: Mapping[UUID, int]
    latest: dict[UUID, AgentEvent]
    known: Mapping[UUID, _Known]
    now: datetime
    new: list[AgentEvent] = field(default_factory=list)
    news: list[tuple[AgentEvent, Subject]] = field(default_factory=list)
    repeats: Counter[AgentEvent] = field(default_factory=Counter)
    reworded: set[AgentEvent] = field(default_factory=set)

    def say(self, reports: Sequence[_Pair]) -> list[AgentEvent]:
        """The events, in the order of the reports. Nothing is stored yet."""
        said = []
        stacks = {subject.id: subject.stack_id for _, subject in reports}
        for index, (report, subject) in enumerate(reports):
            said.append(self._say(report, subject, is_over=index < self.left.get(subject.stack_id, -1)))
            if self.left.get(subject.stack_id) == index:
                self.latest = {
                    object_id: event
                    for object_id, event in self.latest.items()
                    if stacks[object_id] != subject.stack_id or object_id == subject.id
                }
        return said

    def _say(self, report: Report, subject: Subject, *, is_over: bool) -> AgentEvent:
        event = self.latest.get(subject.id)
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
            deployment_object_id=subject.id,
            event_type=report.event_type,
            status=report.status,
            message=report.message,
            created_at=self.now,
            updated_at=self.now,
            deleted_at=self.now if is_over and subject.recipient_id is None else None,
        )
        self.new.append(event)
        known = self.known.get(subject.stack_id)
        # The event of this report was too old to keep; we only know that the report was the latest.
        is_forgotten = (
            subject.id not in self.latest and known is not None and known.is_repeated(report, subject)
        )
        if not is_forgotten:
            self.news.append((event, subject))
        self.latest[subject.id] = event
        return event

    def repeated(self) -> Iterator[Update]:
        """The changes of the events that were only repeated."""
        plain = {event.pk: times for event, times in self.repeats.items() if event not in self.reworded}
        for times in set(plain.values()):
            again = [pk for pk, count in plain.items() if count == times]
            yield Update(
                AgentEvent,
                "count = count + %(times)s, updated_at = %(now)s",
                among("id", "ids"),
                {"times": times, "now": time_parameter(self.now), "ids": list_parameter(again)},
            )

    def reword(self) -> None:
        """Store the events that were repeated in other words."""
        if others := [event for event in self.repeats if event in self.reworded]:
            AgentEvent.objects.bulk_update(others, ["count", "message", "updated_at"])


def _told(news: Sequence[tuple[AgentEvent, Subject]], actor: Actor) -> Iterator[Event]:
    """What the world is told. Values of Secrets are masked, because webhooks lead anywhere."""
    messages = without_secrets((subject.sequence_id, event.message) for event, subject in news)
    for (event, subject), message in zip(news, messages, strict=True):
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
                "stack_id": subject.stack_id,
                "event_type": event.event_type,
                "status": event.status,
                "message": None if event.message is None else message,
                "created_at": event.created_at,
            },
        )
