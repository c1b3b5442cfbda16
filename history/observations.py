"""What was sent to agents and what they said, as entries of a timeline: offers, reports, health and silence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from agents.models import AgentEvent, AgentOffer, AgentSilence, OfferHistory
from agents.models.event import EventStatus
from health.models import HealthChange
from history.entries import Entry, Key, Kind, Source
from history.versions import Versions
from stacks.models import DeploymentObject


@dataclass(frozen=True, slots=True)
class Window:
    """The entries from `since` until before `until` that come after `after`, at most `limit`."""

    since: datetime
    until: datetime
    after: Key | None
    limit: int


# The columns after the time and the id, as the source's function below takes them.
_Make = Callable[..., Entry]


@dataclass(frozen=True, slots=True)
class _Rows:
    source: Source
    rows: QuerySet[Any]
    at: str
    columns: tuple[str, ...]
    make: _Make


def observations_of_agent(agent_id: UUID, window: Window, versions: Versions) -> list[Entry]:
    """At most `window.limit` entries of each source."""
    return _read(
        window,
        versions,
        offers=AgentOffer.objects.filter(agent=agent_id),
        forgotten=OfferHistory.objects.filter(agent_id=agent_id),
        reports=AgentEvent.objects.filter(agent=agent_id),
        health=HealthChange.objects.filter(agent_id=agent_id),
        silences=AgentSilence.objects.filter(agent_id=agent_id),
    )


def observations_of_stack(stack_id: UUID, window: Window, versions: Versions) -> list[Entry]:
    """The same for a stack. The silence of all agents counts to which the stack was offered."""
    objects = DeploymentObject.objects.filter(stack=stack_id)
    offers = AgentOffer.objects.filter(stack=stack_id)
    forgotten = OfferHistory.objects.filter(stack_id=stack_id)
    silences = AgentSilence.objects.filter(
        Q(agent_id__in=offers.values("agent_id")) | Q(agent_id__in=forgotten.values("agent_id"))
    )
    return _read(
        window,
        versions,
        offers=offers,
        forgotten=forgotten,
        reports=AgentEvent.objects.filter(deployment_object__in=objects.values("id")),
        health=HealthChange.objects.filter(deployment_object_id__in=objects.values("id")),
        silences=silences,
    )


def _read(
    window: Window,
    versions: Versions,
    *,
    offers: QuerySet[AgentOffer],
    forgotten: QuerySet[OfferHistory],
    reports: QuerySet[AgentEvent],
    health: QuerySet[HealthChange],
    silences: QuerySet[AgentSilence],
) -> list[Entry]:
    def offered(key: Key, agent_id: UUID, version_id: int) -> Entry:
        version = versions.by_sequence_id([version_id])[version_id]
        return Entry(key, Kind.OFFERED, agent_id, version.stack_id, version)

    def reported(key: Key, agent_id: UUID, object_id: UUID, status: str) -> Entry:
        version = versions.by_id([object_id])[object_id]
        kind = Kind.APPLIED if status == EventStatus.SUCCESS else Kind.FAILED
        return Entry(key, kind, agent_id, version.stack_id, version, report_id=key.id)

    def observed(key: Key, agent_id: UUID, object_id: UUID, status: str) -> Entry:
        version = versions.by_id([object_id])[object_id]
        return Entry(key, Kind(status), agent_id, version.stack_id, version)

    def fell_silent(key: Key, agent_id: UUID, since: datetime) -> Entry:
        return Entry(key, Kind.SILENT, agent_id, since=since)

    def was_heard(key: Key, agent_id: UUID, since: datetime) -> Entry:
        return Entry(key, Kind.HEARD, agent_id, since=since)

    by_object = ("agent_id", "deployment_object_id", "status")
    tables: Sequence[_Rows] = (
        _Rows(Source.OFFERS, offers, "offered_at", ("agent_id", "version_id"), offered),
        _Rows(Source.FORGOTTEN_OFFERS, forgotten, "offered_at", ("agent_id", "version_id"), offered),
        _Rows(Source.REPORTS, reports, "created_at", by_object, reported),
        _Rows(Source.HEALTH, health, "at", by_object, observed),
        _Rows(Source.SILENCES, silences, "announced_at", ("agent_id", "since"), fell_silent),
        _Rows(Source.ENDS_OF_SILENCE, silences, "ended_at", ("agent_id", "since"), was_heard),
    )
    entries = []
    for table in tables:
        found = table.rows.filter(_in(window, table)).order_by(table.at, "id")
        rows = list(found.values_list(table.at, "id", *table.columns)[: window.limit])
        _prefetch(versions, table, rows)
        entries += [table.make(Key(at, table.source, row_id), *rest) for at, row_id, *rest in rows]
    return entries


def _in(window: Window, table: _Rows) -> Q:
    condition = Q(**{f"{table.at}__gte": window.since, f"{table.at}__lt": window.until})
    if window.after is None:
        return condition
    later = Q(**{f"{table.at}__gt": window.after.at})
    if table.source > window.after.source:
        later |= Q(**{table.at: window.after.at})
    if table.source == window.after.source:
        later |= Q(**{table.at: window.after.at, "id__gt": window.after.id})
    return condition & later


def _prefetch(versions: Versions, table: _Rows, rows: Sequence[Sequence[Any]]) -> None:
    """Read the versions of a whole page in one query."""
    if "version_id" in table.columns:
        versions.by_sequence_id({row[3] for row in rows})
    if "deployment_object_id" in table.columns:
        versions.by_id({row[3] for row in rows})
