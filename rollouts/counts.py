"""Reads the present facts of a rollout, on which the decision depends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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
# agents are in no wave: their rows go with them.
# Members are alike in a few ways only: they are counted by these first, which is cheaper than asking each of them all
# the questions. `m` is materialized so that the planner does not turn the full join into a loop.
_COUNTS = """
WITH chosen AS (SELECT id AS stack_id, generator_id FROM stacks WHERE id = %(stack)s AND deleted_at IS NULL),
serving AS ({serving}),
m AS MATERIALIZED (
    SELECT serving.agent_id IS NULL AS has_left, rm.wave = %(wave)s AS is_current, rm.is_deferred, rm.is_accepted,
        rm.proven_at IS NOT NULL AS was_proven, r.status = 'FAILURE' AS is_failing,
        {is_proven} AS is_proven, {is_new} AS is_new, count(*) AS alike, min({good_since}) AS good_since
    FROM {members}
    LEFT JOIN agent_stack_reports r
        ON r.agent_id = rm.agent_id AND r.stack_id = %(stack)s AND r.sequence_id = %(version)s
    LEFT JOIN deployment_health h ON h.agent_id = rm.agent_id AND h.deployment_object_id = %(object)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT min(good_since) FILTER (WHERE is_current AND NOT is_deferred AND NOT was_proven AND is_proven IS NOT TRUE),
    {sums}
FROM m WHERE NOT has_left
"""
# Who serves the stack, and who is in a wave. PostgreSQL cannot know that thousands serve a stack by one label, and
# would look up each of them in the index of members. A full join reads both sides once. SQLite has it since 3.39 only.
_MEMBERS = {
    "postgresql": """(SELECT * FROM rollout_members WHERE rollout_id = %(rollout)s) rm
    FULL JOIN serving ON serving.agent_id = rm.agent_id""",
    "sqlite": """serving
    LEFT JOIN rollout_members rm ON rm.rollout_id = %(rollout)s AND rm.agent_id = serving.agent_id""",
}
_SUMS = ", ".join(
    f"CAST(coalesce(sum(alike) FILTER (WHERE {which}), 0) AS bigint)"
    for which in (
        "is_current",
        "is_current AND NOT is_deferred",
        "is_current AND NOT is_deferred AND is_failing",
        "is_current AND NOT is_deferred AND is_failing AND is_accepted",
        "is_current AND NOT is_deferred AND is_failing IS NOT TRUE AND (was_proven OR is_proven)",
        "is_current AND NOT is_deferred AND is_failing IS NOT TRUE AND NOT was_proven AND is_proven",
        "NOT is_deferred",
        "NOT is_deferred AND is_failing AND NOT is_accepted",
        "is_deferred",
        "is_new",
    )
)
# Whoever serves the stack and is in no wave. Words of deleted agents stay, so that here it is asked who lives.
_IS_NEW = """(rm.agent_id IS NULL
        AND EXISTS (SELECT 1 FROM agents a WHERE a.id = serving.agent_id AND a.deleted_at IS NULL))"""
_HEALTHY = "(h.status = 'healthy' AND h.updated_at >= %(fresh)s)"
_HEALTH = {
    HealthGate.REQUIRED: _HEALTHY,
    HealthGate.IF_REPORTED: f"(h.id IS NULL OR {_HEALTHY})",
    HealthGate.IGNORED: "(1 = 1)",
}
_LATER = "CASE WHEN h.since > r.since THEN h.since ELSE r.since END"


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
    row = _count(rollout, rule, is_last=current.number == len(strategy.waves), now=now)
    good_since, members, counted, failing, accepted, proven, newly_proven, *of_all_waves = row
    released, failing_of_all, deferred, new = of_all_waves
    running_since = current.running_since
    assert running_since is not None  # noqa: S101  # written with the release
    # SQLite returns computed times as text.
    told: datetime | None = datetime.fromisoformat(good_since) if isinstance(good_since, str) else good_since
    since = as_time(told)
    wave = WaveFacts(
        number=current.number,
        running_since=running_since,
        matched=current.matched,
        members=members,
        counted=counted,
        proven=proven,
        failing=failing,
        accepted=accepted,
        next_proof_at=since + soak if since is not None else None,
        checks={
            check.name: Verdict(check.verdict)
            for check in rollout.checks.all()
            if check.wave == current.number
        },
    )
    facts = Facts(
        wave=wave,
        released=released,
        failing=failing_of_all,
        has_spare=bool(current.matched and not members) and spare_agents(rollout, rule).exists(),
        late=new + (heard_again(rollout, now=now).count() if deferred else 0),
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


def _count(rollout: Rollout, rule: Wave, *, is_last: bool, now: datetime) -> tuple[Any, ...]:
    gate = gate_of(rollout, rule)
    sql = _COUNTS.format(
        serving=serving_stacks("chosen", registration=settings.REQUIRE_REGISTRATION),
        is_proven=proven_sql(gate),
        good_since=good_since_sql(gate),
        # Before the last wave, newcomers wait for a wave that matches them.
        is_new=_IS_NEW if is_last else "(1 = 0)",
        members=_MEMBERS[connection.vendor],
        sums=_SUMS,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, cast(Any, proof_parameters(rollout, rule, now=now)))
        return cast(tuple[Any, ...], cursor.fetchone())


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
