"""Simulated agents at two stacks, and in plain Python what the broker has been told.

The agents behave like those that exist: v0.2.0 in incremental mode removes a stack when it is offered a deletion
marker, v0.9.1 in full mode also when a stack is absent from an answer that held it before.
"""

from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest import mock
from uuid import UUID

from django.utils import timezone

from agents.models import Agent, AgentHeartbeat
from agents.models.event import EventStatus
from agents.services.events import report_event
from agents.services.offers import note_offers
from agents.target_state import poll
from core.events import Actor
from generators.models import Generator
from health.models import HealthStatus
from health.services import HealthReport, report_health
from paks.actors import ActorType
from paks.tokens import split_token
from rollouts.models import Rollout
from rollouts.strategies import HealthGate
from stacks.models import DeploymentObject, Stack
from tests.factories import make_agent, make_generator, make_stack

# Which stacks an agent serves, by a label that both carry.
WORD = {"shop": "app", "base": "db"}
FRESH = timedelta(seconds=300)
# A pair of an agent and a stack, by names.
Pair = tuple[str, str]


class Violation(AssertionError):
    """Something happened that must never happen."""


@dataclass
class Clock:
    """The time of everything in the product and here."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Published:
    """A version as it was published; of a marker for one agent, `recipient` says whom."""

    seq: int
    id: UUID
    stack: str
    outcome: str
    content: str
    is_marker: bool
    recipient: UUID | None


@dataclass(frozen=True)
class Said:
    """The latest word of an agent on a stack, as a broker should keep it."""

    seq: int
    is_success: bool
    since: datetime


@dataclass(frozen=True)
class Health:
    is_healthy: bool
    since: datetime
    told_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        return self.told_at >= now - FRESH


@dataclass
class Told:
    """What the broker has been told."""

    said: dict[Pair, Said] = field(default_factory=dict)
    # By agent and version.
    health: dict[tuple[str, int], Health] = field(default_factory=dict)

    def note_report(
        self, agent: "SimulatedAgent", version: Published, *, success: bool, now: datetime
    ) -> None:
        pair = agent.name, version.stack
        if version.recipient is not None:
            if success and version.recipient == agent.row.pk:
                self.said.pop(pair, None)
            return
        before = self.said.get(pair)
        if before is not None and version.seq < before.seq:
            return
        is_same = before is not None and (before.seq, before.is_success) == (version.seq, success)
        self.said[pair] = Said(version.seq, success, before.since if before and is_same else now)

    def note_health(self, agent: str, seq: int, *, healthy: bool, now: datetime) -> None:
        before = self.health.get((agent, seq))
        goes_on = before is not None and before.is_healthy == healthy and before.is_fresh(now)
        self.health[agent, seq] = Health(healthy, before.since if before and goes_on else now, now)

    def is_failing(self, agent: str, stack: str, seq: int) -> bool:
        said = self.said.get((agent, stack))
        return said is not None and said.seq == seq and not said.is_success

    def is_proof(
        self, agent: str, stack: str, seq: int, *, soak: int, gate: HealthGate, now: datetime
    ) -> bool:
        """Whether the agent has been good with this very version, without a break, for the soak."""
        said = self.said.get((agent, stack))
        if said is None or said.seq != seq or not said.is_success:
            return False
        since, health = said.since, self.health.get((agent, seq))
        if gate != HealthGate.IGNORED and health is not None:
            if not health.is_healthy or not health.is_fresh(now):
                return False
            since = max(since, health.since)
        if gate == HealthGate.REQUIRED and health is None:
            return False
        return since <= now - timedelta(seconds=soak)

    def copy(self) -> "Told":
        return deepcopy(self)


@dataclass
class SimulatedAgent:
    """`runs` is what is deployed in its cluster, by stack; `seen` the stacks of the answer before."""

    name: str
    row: Agent
    key: str
    is_incremental: bool
    labels: set[str]
    is_silent: bool = False
    is_deleted: bool = False
    runs: dict[str, Published] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    @property
    def mode(self) -> str:
        return "incremental" if self.is_incremental else "full"


@dataclass(frozen=True)
class Report:
    """On its way from an agent. With health it says how well the version is, else how its deployment went."""

    agent: SimulatedAgent
    version: Published
    is_good: bool
    is_health: bool = False


@dataclass
class Fleet:
    """Everything of one run. Stacks, agents and generators have short names here."""

    clock: Clock
    stacks: dict[str, Stack]
    generators: dict[str, Generator]
    agents: dict[str, SimulatedAgent]
    stack_labels: dict[str, set[str]]
    told: Told = field(default_factory=Told)
    queue: list[Report] = field(default_factory=list)
    deleted_stacks: set[str] = field(default_factory=set)
    # Once nothing is bad any more, for the end.
    is_healed: bool = False
    _versions: dict[str, Published] = field(default_factory=dict)

    def serves(self, agent: str, stack: str) -> bool:
        """The rule, with labels alone."""
        its = self.agents[agent]
        return (
            not its.is_deleted
            and stack not in self.deleted_stacks
            and bool(its.labels & self.stack_labels[stack])
        )

    def serving(self, stack: str) -> list[str]:
        return [name for name in self.agents if self.serves(name, stack)]

    def name_of_stack(self, stack_id: UUID) -> str:
        return next(name for name, stack in self.stacks.items() if stack.pk == stack_id)

    def name_of_agent(self, agent_id: UUID) -> str:
        return next(name for name, agent in self.agents.items() if agent.row.pk == agent_id)

    def hear(self, names: Collection[str]) -> None:
        """Heartbeats."""
        rows = [self.agents[name].row for name in names if not self.agents[name].is_silent]
        AgentHeartbeat.objects.filter(agent__in=rows).update(last_heartbeat=self.clock.now)

    def ask(self, agent: SimulatedAgent) -> list[Published]:
        """What the broker answers to a poll."""
        found = poll(agent_id=agent.row.pk, token=split_token(agent.key), mode=agent.mode)
        if found is None:
            raise Violation(f"{agent.name} may not poll")
        return [self.version(object_id) for object_id in found.object_ids]

    def poll(self, name: str, wanted: dict[str, Published | None]) -> None:
        """One round of an agent: it asks, applies, and has something to report. `wanted` is what it should have."""
        agent = self.agents[name]
        if agent.is_silent or agent.is_deleted:
            return
        self.hear([name])
        answer = self.ask(agent)
        note_offers(agent_id=agent.row.pk, object_ids=[version.id.hex for version in answer])
        if not agent.is_incremental:
            for stack in agent.seen - {version.stack for version in answer}:
                self._remove(agent, stack, wanted[stack], "absence")
        agent.seen = {version.stack for version in answer}
        for version in answer:
            self._apply(agent, version, wanted[version.stack])
        for version in agent.runs.values():
            if version not in answer:
                self._tell_health(agent, version)

    def deliver(self, index: int, *, again: bool = False) -> None:
        """One of the reports on their way arrives; `again` leaves it there, to arrive once more."""
        if not self.queue:
            return
        report = self.queue[index % len(self.queue)] if again else self.queue.pop(index % len(self.queue))
        if report.agent.is_deleted:
            return
        actor = Actor(type=ActorType.AGENT, id=report.agent.row.pk)
        version, now = report.version, self.clock.now
        if report.is_health:
            status = HealthStatus.HEALTHY if report.is_good else HealthStatus.FAILING
            self.told.note_health(report.agent.name, version.seq, healthy=report.is_good, now=now)
            report_health(
                agent_id=report.agent.row.pk,
                reports=[HealthReport(version.id, status, now)],
                actor=actor,
                now=now,
            )
            return
        self.told.note_report(report.agent, version, success=report.is_good, now=now)
        report_event(
            agent_id=report.agent.row.pk,
            deployment_object_id=version.id,
            event_type="DEPLOY",
            status=EventStatus.SUCCESS if report.is_good else EventStatus.FAILURE,
            message=None,
            actor=actor,
        )

    def version(self, object_id: str) -> Published:
        """By the hex digits of its id."""
        if object_id not in self._versions:
            row = DeploymentObject.objects.get(id=object_id)
            outcome, _, _ = row.yaml_content.rpartition("word: '")[2].rstrip("'\n").partition("-")
            self._versions[object_id] = Published(
                seq=row.pk,
                id=row.id,
                stack=self.name_of_stack(row.stack_id),
                outcome=outcome or "good",
                content=row.yaml_content,
                is_marker=row.is_deletion_marker,
                recipient=row.recipient_id,
            )
        return self._versions[object_id]

    def _apply(self, agent: SimulatedAgent, version: Published, wanted: Published | None) -> None:
        if version.is_marker:
            self._remove(agent, version.stack, wanted, "a marker")
            self.queue.append(Report(agent, version, is_good=True))
            return
        agent.runs[version.stack] = version
        if version.outcome == "silences" and not self.is_healed:
            agent.is_silent = True
            return
        is_good = self.is_healed or not _fails(agent, version)
        self.queue.append(Report(agent, version, is_good=is_good))
        self._tell_health(agent, version)

    def _tell_health(self, agent: SimulatedAgent, version: Published) -> None:
        if version.outcome in {"well", "unhealthy"}:
            is_good = version.outcome == "well" or self.is_healed
            self.queue.append(Report(agent, version, is_good=is_good, is_health=True))

    def _remove(self, agent: SimulatedAgent, stack: str, wanted: Published | None, how: str) -> None:
        if agent.runs.pop(stack, None) is None or not self.serves(agent.name, stack):
            return
        if wanted is None or not wanted.is_marker:
            raise Violation(f"{agent.name} removes {stack} by {how}, while it should have {wanted}")


def _fails(agent: SimulatedAgent, version: Published) -> bool:
    """A version that splits the fleet fails on some agents only, so that the budget decides about it."""
    return version.outcome == "fails" or (version.outcome == "splits" and agent.name in {"bob", "dan"})


def make_fleet(now: datetime) -> Fleet:
    """Five agents serve the first stack, three of them the second, which has another owner."""
    generators = {name: make_generator(name=name)[0] for name in ("red", "blue")}
    owners = {"shop": "red", "base": "blue"}
    stacks = {
        name: make_stack(generators[owner], name=name, labels=[WORD[name]]) for name, owner in owners.items()
    }
    labels = {
        "ann": {"app", "ring=0"},
        "bob": {"app", "db", "edge"},
        "cat": {"app", "db"},
        "dan": {"app", "db"},
        "eve": {"app"},
    }
    agents = {}
    for number, (name, its) in enumerate(labels.items()):
        row, api = make_agent(name=name, active=True, labels=sorted(its))
        agents[name] = SimulatedAgent(
            name, row, api.key or "", is_incremental=number % 2 == 0, labels=set(its)
        )
    return Fleet(Clock(now), stacks, generators, agents, {name: {word} for name, word in WORD.items()})


def same_numbers() -> list[Any]:
    """Contexts in which ids that decide about members are the same in every run: agents' and rollouts'."""
    numbers = count(1)
    fields = [Agent._meta.get_field("id"), Rollout._meta.get_field("id"), Rollout._meta.get_field("chain_id")]

    def number() -> UUID:
        return UUID(int=next(numbers) << 64)

    return [mock.patch.object(each, "_get_default", number) for each in fields]


def same_clock(clock: Clock) -> Any:
    """A context in which the product's time is the clock's."""
    return mock.patch.object(timezone, "now", clock)
