"""What an agent says in a sync: reports, each recorded once, and renewals of claims. Confirming its removals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from agents.errors import AgentNotFound
from agents.models import Agent, MarkerDelivery
from agents.services.events import Report, report_events
from core.errors import DomainError
from core.events import Actor, Event, emit
from core.prepared import as_uuid, fetch_all_once, time_parameter, uuid_parameter
from core.prepared_rows import list_parameter
from core.retention import delete_in_steps
from health.services import HealthReport, report_health
from stacks.models import DeploymentObject
from sync.errors import RemovalNotOwed
from sync.event_kinds import SyncEventKind
from sync.models import ReceivedReport
from workorders.services.claims import renew_claim

# An agent that was away for longer than this sends nothing again: what it could not deliver by then is of no use.
_REMEMBERED = timedelta(days=2)
_NOTE = """
INSERT INTO sync_received_reports (id, agent_id, report_id, received_at)
SELECT {new_id}, %(agent)s, {value}, %(now)s FROM {values} WHERE 1 = 1 ORDER BY 3
ON CONFLICT (agent_id, report_id) DO NOTHING
RETURNING report_id
"""
_WORDS = {
    "postgresql": {"new_id": "gen_random_uuid()", "value": "v", "values": "unnest(%(ids)s::uuid[]) v"},
    "sqlite": {"new_id": "lower(hex(randomblob(16)))", "value": "value", "values": "json_each(%(ids)s)"},
}


@dataclass(frozen=True, slots=True)
class Renewal:
    """A claim that the agent still works on."""

    work_order_id: UUID
    claim_token: UUID


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a renewal: until when the claim runs now, or why it has ended."""

    work_order_id: UUID
    claim_expires_at: datetime | None
    code: str | None


def receive_reports(
    *,
    agent_id: UUID,
    reports: Sequence[tuple[UUID, Report]],
    health: Sequence[tuple[UUID, HealthReport]],
    actor: Actor,
    now: datetime,
) -> list[UUID]:
    """Record the reports that did not come before, in their order. Each is given with the agent's own id for it.

    Returns the ids of reports on unknown versions, which are not recorded: after a restore, the broker may not know
    what the agent was given before, and that must not hold up the other reports.
    Raises AgentNotFound, InvalidHealthRecord.
    """
    given: list[tuple[UUID, Report | HealthReport]] = [*reports, *health]
    said: dict[UUID, Report | HealthReport] = {}
    for report_id, report in given:
        # Within a call, too, an id that comes again is a repeat.
        said.setdefault(report_id, report)
    if not said:
        return []
    about = {report_id: report.deployment_object_id for report_id, report in said.items()}
    named = DeploymentObject.objects.filter(id__in=set(about.values()))
    known = set(named.values_list("id", flat=True))
    with transaction.atomic():
        new = _note(agent_id, about.keys(), now)
        fresh = [said[report_id] for report_id in said if report_id in new and about[report_id] in known]
        if outcomes := [report for report in fresh if isinstance(report, Report)]:
            report_events(agent_id=agent_id, reports=outcomes, actor=actor)
        if states := [report for report in fresh if isinstance(report, HealthReport)]:
            report_health(agent_id=agent_id, reports=states, actor=actor, now=now)
    return [report_id for report_id, object_id in about.items() if object_id not in known]


def renew_claims(*, renewals: Sequence[Renewal], actor: Actor, now: datetime) -> list[Renewed]:
    """Renew each claim by itself."""
    renewed = []
    for renewal in renewals:
        try:
            order = renew_claim(
                work_order_id=renewal.work_order_id, claim_token=renewal.claim_token, actor=actor, now=now
            )
        except DomainError as refusal:
            renewed.append(Renewed(renewal.work_order_id, None, refusal.code))
        else:
            renewed.append(Renewed(order.id, order.claim_expires_at, None))
    return renewed


@transaction.atomic
def confirm_removals(*, agent_id: UUID, object_ids: Collection[UUID], actor: Actor, now: datetime) -> None:
    """Let the agent carry out these removals although they are many. Raises AgentNotFound, RemovalNotOwed."""
    if not Agent.objects.active().filter(pk=agent_id).exists():
        raise AgentNotFound(id=agent_id)
    owed = MarkerDelivery.objects.filter(agent_id=agent_id, marker__id__in=object_ids)
    found = set(owed.values_list("marker__id", flat=True))
    if missing := sorted(set(object_ids) - found):
        raise RemovalNotOwed(deployment_object_id=missing[0])
    owed.filter(confirmed_at=None).update(confirmed_at=now)
    emit(
        Event(
            kind=SyncEventKind.AGENT_REMOVALS_CONFIRMED,
            resource_type="agent",
            resource_id=agent_id,
            actor=actor,
            details={"deployment_object_ids": sorted(map(str, found))},
        )
    )


def note_waiting_removals(*, agent_id: UUID, object_ids: Collection[UUID], now: datetime) -> list[UUID]:
    """Note that the agent carries these removals out only when they are confirmed. Returns those that were."""
    if not object_ids:
        return []
    owed = MarkerDelivery.objects.filter(agent_id=agent_id, marker__id__in=object_ids)
    found = list(owed.order_by("marker_id").values_list("marker__id", "waits_since", "confirmed_at"))
    if any(waits_since is None for _, waits_since, _ in found):
        owed.filter(waits_since=None).update(waits_since=now)
    return [object_id for object_id, _, confirmed_at in found if confirmed_at is not None]


def waiting_removals() -> QuerySet[MarkerDelivery]:
    """The removals that agents hold back until somebody confirms them."""
    return MarkerDelivery.objects.filter(
        waits_since__isnull=False, confirmed_at=None, agent__deleted_at__isnull=True
    )


def delete_old_received_reports(*, now: datetime) -> int:
    """Delete the ids of reports that came long ago. Returns their number."""
    old = ReceivedReport.objects.filter(received_at__lt=now - _REMEMBERED)
    return delete_in_steps(old.order_by("received_at", "id"))


def _note(agent_id: UUID, report_ids: Collection[UUID], now: datetime) -> set[UUID]:
    """Note the ids, and return those that were not noted before. Twins of this request wait until it commits."""
    parameters = {
        "agent": uuid_parameter(agent_id),
        "ids": list_parameter(report_ids),
        "now": time_parameter(now),
    }
    rows = fetch_all_once(_NOTE.format(**_WORDS[connection.vendor]), parameters)
    return {as_uuid(report_id) for (report_id,) in rows}
