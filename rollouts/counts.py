"""Reads the present facts of a rollout, on which the decision depends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntFlag, auto
from typing import Any, cast

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from agents.silence import surely_silent_agents
from agents.wanted.legs import serving_stacks
from agents.wanted.ties import serving_agents
from core.prepared import as_time, uuid_parameter
from health.querysets import fresh_since
from rollouts.decision import Facts, Verdict, WaveFacts
from rollouts.models import Rollout, RolloutMember, RolloutWave
from rollouts.strategies import HealthGate, Wave

# Reports and health rows count only when they are about this very version: old good news says nothing of it. Deleted
# agents are in no wave: their rows go with them. Whoever has left the stack is not asked for.
# Agents are alike in a few ways only, so the statement counts them by their traits, one number.
_COUNTS = """
WITH chosen AS (SELECT id AS stack_id, generator_id FROM stacks WHERE id = %(stack)s AND deleted_at IS NULL),
serving AS ({serving}),
known AS (
    SELECT serving.agent_id AS serving_id, rm.agent_id, rm.wave, rm.is_deferred, rm.is_accepted, rm.proven_at, r.status,
        {good_since} AS good_since
    FROM serving LEFT JOIN {members} AND rm.agent_id = serving.agent_id
    LEFT JOIN agent_stack_reports r
        ON r.agent_id = rm.agent_id AND r.stack_id = %(stack)s AND r.sequence_id = %(version)s
    LEFT JOIN deployment_health h ON h.agent_id = rm.agent_id AND h.deployment_object_id = %(object)s
)
SELECT {traits} AS traits, count(*), min(good_since) FROM known k GROUP BY 1
"""
# PostgreSQL cannot know that thousands serve a stack by one label, and would look up each of them in the index of
# members. OFFSET makes it read all members at once.
_MEMBERS = {
    "postgresql": "(SELECT * FROM rollout_members WHERE rollout_id = %(rollout)s OFFSET 0) rm ON (1 = 1)",
    "sqlite": "rollout_members rm ON rm.rollout_id = %(rollout)s",
}


class _Trait(IntFlag):
    """What is true of an agent that serves the stack. All but NEW are true of members only."""

    MEMBER = auto()
    CURRENT = auto()
    DEFERRED = auto()
    ACCEPTED = auto()
    WAS_PROVEN = auto()
    FAILING = auto()
    # Has been good for the whole soak.
    PROVEN = auto()
    # Serves the stack and is in no wave.
    NEW = auto()


_NONE = _Trait(0)
_CONDITIONS = {
    _Trait.MEMBER: "k.agent_id IS NOT NULL",
    _Trait.CURRENT: "k.wave = %(wave)s",
    _Trait.DEFERRED: "k.is_deferred",
    _Trait.ACCEPTED: "k.is_accepted",
    _Trait.WAS_PROVEN: "k.proven_at IS NOT NULL",
    _Trait.FAILING: "k.status = 'FAILURE'",
    _Trait.PROVEN: "k.good_since <= %(soaked)s",
}
# Words of deleted agents stay, so that here it is asked who lives.
_IS_NEW = """k.agent_id IS NULL
    AND EXISTS (SELECT 1 FROM agents a WHERE a.id = k.serving_id AND a.deleted_at IS NULL)"""
_HEALTHY = "(h.status = 'healthy' AND h.updated_at >= %(fresh)s)"
_HEALTH = {
    HealthGate.REQUIRED: _HEALTHY,
    HealthGate.IF_REPORTED: f"(h.id IS NULL OR {_HEALTHY})",
    HealthGate.IGNORED: "(1 = 1)",
}
_LATER = "CASE WHEN h.since > r.since THEN h.since ELSE r.since END"


class _Counts:
    """How many agents have which traits, and since when such agents have been good at the earliest."""

    def __init__(self, rows: Iterable[tuple[int, int, Any]]) -> None:
        self._rows = [(_Trait(traits), number, good_since) for traits, number, good_since in rows]

    def number(self, having: _Trait, *, without: _Trait = _NONE) -> int:
        """How many have all of these traits, and none of those."""
        return sum(number for number, _ in self._of(having, without))

    def earliest(self, having: _Trait, *, without: _Trait) -> datetime | None:
        """Since when they have been good at the earliest; None if none of them is good."""
        known = [good_since for _, good_since in self._of(having, without) if good_since is not None]
        return min(known, default=None)

    def _of(self, having: _Trait, without: _Trait) -> Iterator[tuple[int, datetime | None]]:
        for traits, number, good_since in self._rows:
            if having in traits and not traits & without:
                # SQLite returns computed times as text.
                told = datetime.fromisoformat(good_since) if isinstance(good_since, str) else good_since
                yield number, as_time(told)


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
    newly_proven = counts.number(_Trait.CURRENT | _Trait.PROVEN, without=undecided | _Trait.FAILING)
    since = counts.earliest(_Trait.CURRENT, without=undecided | _Trait.PROVEN)
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
        checks={
            check.name: Verdict(check.verdict)
            for check in rollout.checks.all()
            if check.wave == current.number
        },
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
    )
    return Counted(facts, newly_proven)


def joiners(rollout: Rollout) -> QuerySet[Agent]:
    """The agents that serve the stack and are in no wave."""
    members = RolloutMember.objects.filter(rollout=rollout).values("agent")
    return serving_agents(rollout.stack).exclude(pk__in=members)


def spare_agents(rollout: Rollout, wave: Wave) -> QuerySet[Agent]:
    """The agents that serve the stack, are in no wave, and match this wave."""
    agents = joiners(rollout)
    return agents.filter(labels__label__in=wave.labels).distinct() if wave.labels else agents


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
    conditions = _CONDITIONS | ({_Trait.NEW: _IS_NEW} if is_last else {})
    sql = _COUNTS.format(
        serving=serving_stacks("chosen", registration=settings.REQUIRE_REGISTRATION),
        members=_MEMBERS[connection.vendor],
        good_since=good_since_sql(gate_of(rollout, rule)),
        traits=" + ".join(
            f"CASE WHEN {condition} THEN {trait.value} ELSE 0 END" for trait, condition in conditions.items()
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, cast(Any, proof_parameters(rollout, rule, now=now)))
        return _Counts(cursor.fetchall())


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
        **{name: connection.ops.adapt_datetimefield_value(time) for name, time in times.items()},
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
