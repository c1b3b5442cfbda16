"""Reads the present facts of a rollout, on which the decision depends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag, auto
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from agents.silence import surely_silent_agents
from agents.wanted.legs import agents_of_stacks
from agents.wanted.ties import serving_agents
from core.prepared import as_time, fetch_all, time_parameter, uuid_parameter
from health.querysets import fresh_since
from rollouts.decision import Facts, Verdict, WaveFacts
from rollouts.models import Rollout, RolloutCheck, RolloutMember, RolloutWave
from rollouts.strategies import HealthGate, Wave

# Reports and health rows count only when they are about this very version: old good news says nothing of it. Deleted
# agents are in no wave: their rows go with them. Whoever has left the stack is not asked for.
# Agents are alike in a few ways only, so the statement counts them by their traits, one number.
_COUNTS = """
WITH chosen AS (SELECT id AS stack_id, generator_id FROM stacks WHERE id = %(stack)s AND deleted_at IS NULL),
serving AS ({serving}),
members AS (
    SELECT agent_id, {traits} AS traits FROM rollout_members WHERE rollout_id = %(rollout)s {fence}
),
reports AS (
    SELECT agent_id, status, since FROM agent_stack_reports
    WHERE stack_id = %(stack)s AND sequence_id = %(version)s {fence}
),
known AS (
    SELECT COALESCE(m.traits, {new}) + CASE WHEN r.status = 'FAILURE' THEN {failing} ELSE 0 END AS traits,
        {good_since} AS good_since
    FROM serving s LEFT JOIN members m ON m.agent_id = s.agent_id
    LEFT JOIN reports r ON r.agent_id = m.agent_id
    LEFT JOIN deployment_health h ON h.agent_id = m.agent_id AND h.deployment_object_id = %(object)s
    {fence}
)
SELECT traits, count(*), count(CASE WHEN good_since <= %(soaked)s THEN 1 END),
    min(CASE WHEN good_since > %(soaked)s THEN good_since END)
FROM known GROUP BY traits
"""
# PostgreSQL cannot know that thousands serve a stack by one label: it would look up each of them in the indexes of
# members and of reports, and sort all of them by their traits. OFFSET makes it read all members and all reports about
# the version at once, and count in a hash table.
_FENCE = {"postgresql": "OFFSET 0", "sqlite": ""}


class _Trait(IntFlag):
    """What is true of an agent that serves the stack. All but NEW are true of members only."""

    MEMBER = auto()
    CURRENT = auto()
    DEFERRED = auto()
    ACCEPTED = auto()
    WAS_PROVEN = auto()
    FAILING = auto()
    # Serves the stack and is in no wave.
    NEW = auto()


_NONE = _Trait(0)
_TRAITS_OF_MEMBERS = {
    _Trait.CURRENT: "wave = %(wave)s",
    _Trait.DEFERRED: "is_deferred",
    _Trait.ACCEPTED: "is_accepted",
    _Trait.WAS_PROVEN: "proven_at IS NOT NULL",
}
# Words of deleted agents stay, so that here it is asked who lives.
_IS_NEW = "EXISTS (SELECT 1 FROM agents a WHERE a.id = s.agent_id AND a.deleted_at IS NULL)"
_HEALTHY = "(h.status = 'healthy' AND h.updated_at >= %(fresh)s)"
_HEALTH = {
    HealthGate.REQUIRED: _HEALTHY,
    HealthGate.IF_REPORTED: f"(h.id IS NULL OR {_HEALTHY})",
    HealthGate.IGNORED: "(1 = 1)",
}
_LATER = "CASE WHEN h.since > r.since THEN h.since ELSE r.since END"


@dataclass(frozen=True, slots=True)
class _Alike:
    """Agents with the same traits.

    Of their `number`, `soaked` have been good for the whole soak; the first of the others that are good has been so
    since `good_since`.
    """

    traits: _Trait
    number: int
    soaked: int
    good_since: datetime | None


class _Counts:
    """How many agents have which traits."""

    def __init__(self, rows: Iterable[tuple[int, int, int, Any]]) -> None:
        self._rows = [
            _Alike(_Trait(traits), number, soaked, _time(good_since))
            for traits, number, soaked, good_since in rows
        ]

    def of(self, having: _Trait, *, without: _Trait = _NONE) -> list[_Alike]:
        """Those that have all of these traits, and none of those."""
        return [row for row in self._rows if having in row.traits and not row.traits & without]

    def number(self, having: _Trait, *, without: _Trait = _NONE) -> int:
        """How many they are."""
        return sum(row.number for row in self.of(having, without=without))


@dataclass(frozen=True, slots=True)
class Counted:
    """`facts` is for the decision. `newly_proven` counts members that were good for the soak and are not yet marked."""

    facts: Facts
    newly_proven: int


def read_facts(rollout: Rollout, *, is_frozen: bool, now: datetime) -> Counted:
    """Count with one statement. More are needed only if there are deferred members, or if a wave has lost all members.

    The waves and checks of `rollout` have been read.
    """
    waves: list[RolloutWave] = list(rollout.waves.all())
    approved = frozenset(wave.number for wave in waves if wave.approved_at is not None)
    checks: list[RolloutCheck] = list(rollout.checks.all())
    current = next((wave for wave in waves if wave.number == rollout.wave), None)
    if current is None:
        return Counted(Facts(wave=None, is_frozen=is_frozen, approved=approved), 0)
    strategy = rollout.strategy
    rule = strategy.wave(current.number)
    soak = timedelta(seconds=rule.soak_seconds)
    counts = _count(rollout, rule, is_last=current.number == len(strategy.waves), now=now)
    running_since = current.running_since
    assert running_since is not None  # noqa: S101  # written with the release
    members = counts.number(_Trait.CURRENT)
    # Deferred members are not waited for.
    was_proven = counts.number(_Trait.CURRENT | _Trait.WAS_PROVEN, without=_Trait.DEFERRED | _Trait.FAILING)
    undecided = _Trait.DEFERRED | _Trait.WAS_PROVEN
    hopeful = counts.of(_Trait.CURRENT, without=undecided)
    newly_proven = sum(row.soaked for row in hopeful)
    since = min((row.good_since for row in hopeful if row.good_since is not None), default=None)
    failing = _Trait.CURRENT | _Trait.FAILING
    wave = WaveFacts(
        number=current.number,
        running_since=running_since,
        matched=current.matched,
        members=members,
        counted=counts.number(_Trait.CURRENT, without=_Trait.DEFERRED),
        proven=was_proven + newly_proven,
        failing=counts.number(failing, without=_Trait.DEFERRED),
        accepted=counts.number(failing | _Trait.ACCEPTED, without=_Trait.DEFERRED),
        next_proof_at=since + soak if since is not None else None,
        checks={check.name: Verdict(check.verdict) for check in checks if check.wave == current.number},
    )
    has_deferred = counts.number(_Trait.DEFERRED) > 0
    facts = Facts(
        wave=wave,
        released=counts.number(_Trait.MEMBER, without=_Trait.DEFERRED),
        failing=counts.number(_Trait.FAILING, without=_Trait.DEFERRED | _Trait.ACCEPTED),
        has_spare=bool(current.matched and not members) and spare_agents(rollout, rule).exists(),
        late=counts.number(_Trait.NEW) + (heard_again(rollout, now=now).count() if has_deferred else 0),
        is_frozen=is_frozen,
        approved=approved,
        failed_before=frozenset(
            check.name for check in checks if check.wave < current.number and check.verdict == Verdict.FAILED
        ),
    )
    return Counted(facts, newly_proven)


def joiners(rollout: Rollout) -> QuerySet[Agent]:
    """The agents that serve the stack and are in no wave."""
    members = RolloutMember.objects.filter(rollout=rollout).values("agent")
    return serving_agents(rollout.stack).exclude(pk__in=members)


def spare_agents(rollout: Rollout, wave: Wave) -> QuerySet[Agent]:
    """The agents from which a wave that has lost all its members takes another one.

    They serve the stack, are in no wave, and match this wave. If none matches it, they are those of later waves: one of
    them may get an unproven version, so that not all of them do.
    """
    agents = joiners(rollout)
    matching = agents.filter(labels__label__in=wave.labels).distinct()
    return matching if wave.labels and matching.exists() else agents


def heard_again(rollout: Rollout, *, now: datetime) -> QuerySet[RolloutMember]:
    """Deferred members that serve the stack and are no longer silent or inactive."""
    present = serving_agents(rollout.stack).exclude(pk__in=absent_agents(now).values("pk"))
    return RolloutMember.objects.filter(rollout=rollout, is_deferred=True, agent__in=present)


def absent_agents(now: datetime) -> QuerySet[Agent]:
    """The live agents that are silent, and not only unheard by a broker that was away, or inactive."""
    agents = Agent.objects.active()
    is_working = Q(pk__in=agents.working().values("pk"))
    is_silent = Q(pk__in=surely_silent_agents(now).values("pk"))
    return agents.filter(~is_working | is_silent)


def _count(rollout: Rollout, rule: Wave, *, is_last: bool, now: datetime) -> _Counts:
    # Before the last wave, newcomers wait for a wave that matches them.
    new = _bit(_Trait.NEW, _IS_NEW) if is_last else "0"
    sql = _COUNTS.format(
        serving=agents_of_stacks("chosen", registration=settings.REQUIRE_REGISTRATION),
        traits=" + ".join([str(_Trait.MEMBER.value), *(_bit(*row) for row in _TRAITS_OF_MEMBERS.items())]),
        new=new,
        failing=_Trait.FAILING.value,
        good_since=good_since_sql(gate_of(rollout, rule)),
        fence=_FENCE[connection.vendor],
    )
    return _Counts(fetch_all(sql, proof_parameters(rollout, rule, now=now)))


def _bit(trait: _Trait, condition: str) -> str:
    return f"CASE WHEN {condition} THEN {trait.value} ELSE 0 END"


def _time(value: Any) -> datetime | None:
    # SQLite returns computed times as text.
    return as_time(datetime.fromisoformat(value) if isinstance(value, str) else value)


def gate_of(rollout: Rollout, rule: Wave) -> HealthGate:
    """How health counts for the proof. It is ignored for a marker, because no agent reports health for a removal."""
    return HealthGate.IGNORED if rollout.version.is_deletion_marker else rule.health


def proof_parameters(rollout: Rollout, rule: Wave, *, now: datetime) -> dict[str, object]:
    """The parameters of `proven_sql` and of the statements that contain it."""
    times = {"now": now, "fresh": fresh_since(now), "soaked": now - timedelta(seconds=rule.soak_seconds)}
    return {
        "rollout": uuid_parameter(rollout.pk),
        "stack": uuid_parameter(rollout.stack_id),
        "version": rollout.version_id,
        "object": uuid_parameter(rollout.version.id),
        "wave": rollout.wave,
        **{name: time_parameter(time) for name, time in times.items()},
    }


def good_since_sql(gate: HealthGate) -> str:
    """Since when a member has been good without a break, by its report `r` and its health `h`; NULL if it is not."""
    since = "r.since" if gate == HealthGate.IGNORED else _LATER
    return f"CASE WHEN r.status = 'SUCCESS' AND {_HEALTH[gate]} THEN {since} END"


def proven_sql(gate: HealthGate) -> str:
    """A condition: the member has been good for the whole soak."""
    return f"({good_since_sql(gate)}) <= %(soaked)s"


def undecided_members(rollout: Rollout) -> QuerySet[RolloutMember]:
    """The members of the newest released wave that we wait for: they are not proven, failing or deferred.

    Members that have left the stack are not among them.
    """
    failing = StackReport.objects.filter(
        stack=rollout.stack_id, sequence_id=rollout.version_id, status=EventStatus.FAILURE
    )
    return RolloutMember.objects.filter(
        rollout=rollout,
        wave=rollout.wave,
        is_deferred=False,
        proven_at__isnull=True,
        agent__in=serving_agents(rollout.stack),
    ).exclude(agent__in=failing.values("agent"))
