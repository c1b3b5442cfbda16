"""A plan as people and programs read it: names, counts, differences. It reads outside of the dry run."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import yaml

from agents.models import Agent
from core.errors import DomainError
from inventory.told_conflicts import ToldConflict, told_conflicts
from paks.principals import Principal
from plans.budget import excess_of, loss_of
from plans.changes import ACTIVE, Kind, TouchedPair
from plans.dry_runs import DryRun
from plans.resources import ResourceChanges, compare_manifests
from stacks.models import Stack

# More ids than this are not put into one condition; the whole fleet is read instead.
_MANY = 500
# So many conflicts of one stack are told; the stack's page has all once they are there.
MAX_CONFLICTS = 100


class Condition(StrEnum):
    """Whether an agent will act on what it should have."""

    HEARD = "heard"
    # Never heard of, or not for longer than its grace: it applies the change when it comes back.
    SILENT = "silent"
    # An operator has not activated it: it applies nothing.
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class PlannedAgent:
    agent_id: UUID
    name: str
    cluster_name: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """What changes for one agent in one stack, by the write itself and in the end."""

    agent: PlannedAgent
    stack_id: UUID
    stack_name: str
    now: Kind | None
    eventually: Kind | None


@dataclass(frozen=True, slots=True)
class KindCounts:
    gaining: int = 0
    changing: int = 0
    losing: int = 0

    @property
    def words(self) -> str:
        """How many agents do what, as a part of a sentence."""
        found = [
            _counted(self.gaining, "gains", "gain", "it"),
            _counted(self.changing, "gets", "get", "another version"),
            _counted(self.losing, "loses", "lose", "it"),
        ]
        return ", ".join(filter(None, found)) or "nothing changes"


@dataclass(frozen=True, slots=True)
class VersionChange:
    """Agents that go from one version to another. A sequence id is None where there is no version, and for one that the
    write makes; `is_made` tells the two apart. Without `resources`, the manifests are too long or cannot be read.
    """

    from_sequence_id: int | None
    to_sequence_id: int | None
    is_made: bool
    agents: int
    resources: ResourceChanges | None


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """`holds` are the reasons why the stack's newest version will be held. `conflicts` are those that agents will have
    in the end, of objects of this stack with objects of others.
    """

    stack_id: UUID
    name: str
    now: KindCounts
    eventually: KindCounts
    holds: Sequence[str]
    versions: Sequence[VersionChange]
    conflicts: Sequence[ToldConflict]


@dataclass(frozen=True, slots=True)
class Plan:
    """`pairs` are all of them, by stack and agent name. `losing_percent` is the share that the budget is about."""

    digest: str
    stacks: Sequence[PlannedStack]
    pairs: Sequence[PlannedPair]
    starting: Sequence[PlannedAgent]
    stopping: Sequence[PlannedAgent]
    leaving: Sequence[PlannedAgent]
    agents: int
    silent: int
    inactive: int
    losing_agents: int
    losing_percent: float
    refused_by: Sequence[DomainError]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes for any agent."""
        return not (self.pairs or self.starting or self.stopping)


def report(run: DryRun[Any], digest: str, *, now: datetime, reader: Principal | None) -> Plan:
    """The plan of a dry run, as the reader may know it, or an operator if it is None."""
    changes = run.changes
    touched = {pair.agent_id for pair in changes.pairs}
    agents = _agents({*touched, *changes.starting, *changes.stopping, *changes.leaving}, now)
    names = dict(
        Stack.objects.filter(pk__in={pair.stack_id for pair in changes.pairs}).values_list("pk", "name")
    )
    pairs = [
        PlannedPair(
            agents[pair.agent_id], pair.stack_id, names[pair.stack_id], pair.kind_now, pair.kind_eventually
        )
        for pair in changes.pairs
        if pair.agent_id in agents
    ]
    pairs.sort(key=lambda pair: (pair.stack_name, pair.stack_id, pair.agent.name, pair.agent.agent_id))
    conditions = Counter(agents[pk].condition for pk in touched if pk in agents)
    loss = loss_of(changes, now=now)
    return Plan(
        digest=digest,
        stacks=list(_stacks(run, names, reader)),
        pairs=pairs,
        starting=[agents[pk] for pk in changes.starting if pk in agents],
        stopping=[agents[pk] for pk in changes.stopping if pk in agents],
        leaving=[agents[pk] for pk in changes.leaving if pk in agents],
        agents=len(touched),
        silent=conditions[Condition.SILENT],
        inactive=conditions[Condition.INACTIVE],
        losing_agents=loss.agents,
        losing_percent=loss.percent,
        refused_by=_refusals([*run.refused_by, *filter(None, [excess_of(loss)])]),
    )


def _agents(ids: Collection[UUID], now: datetime) -> dict[UUID, PlannedAgent]:
    rows = Agent.objects.active()
    if len(ids) <= _MANY:
        rows = rows.filter(pk__in=ids)
    heard = set(rows.heard(now).values_list("pk", flat=True))
    found = {}
    for pk, name, cluster_name, status in rows.values_list("pk", "name", "cluster_name", "status"):
        if pk in ids:
            condition = Condition.INACTIVE if status != ACTIVE else Condition.SILENT
            if status == ACTIVE and pk in heard:
                condition = Condition.HEARD
            found[pk] = PlannedAgent(pk, name, cluster_name, condition)
    return found


def _stacks(run: DryRun[Any], names: Mapping[UUID, str], reader: Principal | None) -> Iterator[PlannedStack]:
    pairs: dict[UUID, list[TouchedPair]] = defaultdict(list)
    for pair in run.changes.pairs:
        pairs[pair.stack_id].append(pair)
    versions: dict[UUID, list[VersionChange]] = defaultdict(list)
    for (stack_id, old, new), count in run.steps:
        versions[stack_id].append(_version_change(run, old, new, count))
    for stack_id in sorted(pairs, key=lambda pk: (names[pk], pk)):
        yield PlannedStack(
            stack_id,
            names[stack_id],
            _counts(pair.kind_now for pair in pairs[stack_id]),
            _counts(pair.kind_eventually for pair in pairs[stack_id]),
            run.after.holds.get(stack_id, ()),
            versions[stack_id],
            told_conflicts(
                [conflict for conflict in run.conflicts if stack_id in conflict.stack_ids],
                stack_id,
                reader=reader,
            )[:MAX_CONFLICTS],
        )


def _version_change(run: DryRun[Any], old: int | None, new: int | None, agents: int) -> VersionChange:
    is_made = new in run.made
    resources = None
    if all(end is None or end in run.texts for end in (old, new)):
        resources = _compared(_text(run, old), _text(run, new))
    return VersionChange(old, None if is_made else new, is_made, agents, resources)


def _compared(old: str, new: str) -> ResourceChanges | None:
    try:
        return compare_manifests(old, new)
    except yaml.YAMLError:
        # A text that was stored before such texts were refused.
        return None


def _text(run: DryRun[Any], version: int | None) -> str:
    facts = run.before.versions.get(version) or run.after.versions.get(version) if version else None
    # A deletion marker may have a text, but asks for nothing.
    return "" if version is None or facts is None or facts.is_marker else run.texts[version]


def _counts(kinds: Iterator[Kind | None]) -> KindCounts:
    times = Counter(kinds)
    return KindCounts(times[Kind.GAINING], times[Kind.CHANGING], times[Kind.LOSING])


def _counted(number: int, one: str, many: str, what: str) -> str:
    return f"{number:,} {one if number == 1 else many} {what}" if number else ""


def _refusals(noted: Sequence[DomainError]) -> list[DomainError]:
    """Each once: a freeze refuses each event of a change."""
    return list({(refusal.code, str(refusal.details)): refusal for refusal in noted}.values())
