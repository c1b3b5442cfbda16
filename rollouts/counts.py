"""Reads the present facts of a rollout, on which the decision depends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag, auto
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from agents.silence import surely_silent_agents
from agents.wanted.legs import ties_of_stacks
from agents.wanted.ties import serving_agents
from core.prepared import as_time, fetch_all, time_parameter, uuid_parameter
from health.querysets import fresh_since
from rollouts.decision import Facts, Verdict, WaveFacts
from rollouts.models import Rollout, RolloutCheck, RolloutMember, RolloutWave
from rollouts.strategies import HealthGate, Wave

# Reports and health rows count only when they are about this very version: old good news says nothing of it.
_REPORTS = """
SELECT agent_id, CASE status WHEN 'SUCCESS' THEN {succeeded} WHEN 'FAILURE' THEN {failing} ELSE 0 END AS traits, since
FROM agent_stack_reports WHERE stack_id = %(stack)s AND sequence_id = %(version)s"""
_HEALTH = """
UNION ALL
SELECT agent_id, CASE WHEN status = 'healthy' AND updated_at >= %(fresh)s THEN {healthy} ELSE {unhealthy} END, since
FROM deployment_health WHERE deployment_object_id = %(object)s"""
# Deleted agents are in no wave: their rows go with them. Whoever has left the stack is not asked for.
# Agents are alike in a few ways only, so the statement counts them by their traits, one number. Each trait of an agent
# comes once, but for SERVES, the highest, which comes with each of its ties. Adding up what is known of an agent takes
# PostgreSQL less than joining it.
_COUNTS = """
WITH chosen AS (SELECT id AS stack_id, generator_id FROM stacks WHERE id = %(stack)s AND deleted_at IS NULL),
known AS (
    SELECT agent_id, sum(traits) AS traits, max(since) AS since FROM (
        {evidence}
        UNION ALL
        SELECT agent_id, {traits}, NULL FROM rollout_members WHERE rollout_id = %(rollout)s
        UNION ALL
        SELECT agent_id, {serves}, NULL FROM ({ties}) t
    ) e GROUP BY agent_id
),
alike AS (
    SELECT traits + {new} AS traits, CASE WHEN {is_good} THEN since END AS good_since FROM known k
)
SELECT traits, count(*), count(CASE WHEN good_since <= %(soaked)s THEN 1 END),
    min(CASE WHEN good_since > %(soaked)s THEN good_since END)
FROM alike GROUP BY traits
"""
_PROVEN = """
SELECT agent_id FROM (
    SELECT agent_id, sum(traits) AS traits, max(since) AS since FROM ({evidence}) e GROUP BY agent_id
) k WHERE {is_good} AND since <= %(soaked)s"""


class _Trait(IntFlag):
    """What is true of an agent. CURRENT, DEFERRED, ACCEPTED and WAS_PROVEN are true of members only."""

    MEMBER = auto()
    CURRENT = auto()
    DEFERRED = auto()
    ACCEPTED = auto()
    WAS_PROVEN = auto()
    # What it has reported of the version.
    SUCCEEDED = auto()
    FAILING = auto()
    HEALTHY = auto()
    UNHEALTHY = auto()
    # Serves the stack and is in no wave.
    NEW = auto()
    # The highest: see _COUNTS.
    SERVES = auto()


_NONE = _Trait(0)
_TRAITS_OF_MEMBERS = {
    _Trait.CURRENT: "wave = %(wave)s",
    _Trait.DEFERRED: "is_deferred",
    _Trait.ACCEPTED: "is_accepted",
    _Trait.WAS_PROVEN: "proven_at IS NOT NULL",
}
# Words of deleted agents stay, so that here it is asked who lives.
_IS_NEW = """k.traits >= {serves} AND k.traits & {member} = 0
    AND EXISTS (SELECT 1 FROM agents a WHERE a.id = k.agent_id AND a.deleted_at IS NULL)"""


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
    """How many agents that serve the stack have which traits."""

    def __init__(self, rows: Iterable[tuple[int, int, int, Any]]) -> None:
        self._rows = [
            _Alike(_Trait(traits % _Trait.SERVES), number, soaked, _time(good_since))
            for traits, number, soaked, good_since in rows
            if traits >= _Trait.SERVES
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
        failing=counts.number(_Trait.MEMBER | _Trait.FAILING, without=_Trait.DEFERRED | _Trait.ACCEPTED),
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
    is_new = _IS_NEW.format(serves=_Trait.SERVES.value, member=_Trait.MEMBER.value)
    new = _bit(_Trait.NEW, is_new) if is_last else "0"
    gate = gate_of(rollout, rule)
    sql = _COUNTS.format(
        evidence=_evidence_sql(gate),
        traits=" + ".join([str(_Trait.MEMBER.value), *(_bit(*row) for row in _TRAITS_OF_MEMBERS.items())]),
        serves=_Trait.SERVES.value,
        ties=ties_of_stacks("chosen", registration=settings.REQUIRE_REGISTRATION),
        new=new,
        is_good=_is_good_sql(gate),
    )
    return _Counts(fetch_all(sql, proof_parameters(rollout, rule, now=now)))


def _evidence_sql(gate: HealthGate) -> str:
    """SELECT of `agent_id, traits, since`: what each agent has reported of the version, in one row or two."""
    return (_REPORTS if gate == HealthGate.IGNORED else _REPORTS + _HEALTH).format(
        succeeded=_Trait.SUCCEEDED.value,
        failing=_Trait.FAILING.value,
        healthy=_Trait.HEALTHY.value,
        unhealthy=_Trait.UNHEALTHY.value,
    )


def _is_good_sql(gate: HealthGate) -> str:
    """A condition on the sum of that for an agent: it has applied the version, and its health is what the gate asks."""
    must = _Trait.SUCCEEDED | (_Trait.HEALTHY if gate == HealthGate.REQUIRED else _NONE)
    return f"traits & {(must | _Trait.UNHEALTHY).value} = {must.value}"


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


def proven_sql(gate: HealthGate) -> str:
    """SELECT of `agent_id`, each once, of agents that have been good for the whole soak without a break."""
    return _PROVEN.format(evidence=_evidence_sql(gate), is_good=_is_good_sql(gate))


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
