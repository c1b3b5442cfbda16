"""Releasing a held version to the members of a wave. The caller has locked the stack and the rollout."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from agents.services.holds import release
from agents.wanted.ties import serving_agents
from core.events import SYSTEM
from rollouts.counts import absent_agents, heard_again, joiners, spare_agents
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout, RolloutMember, RolloutState, RolloutWave
from rollouts.models.rollout import MOVING
from rollouts.services.transitions import MAX_UNLOOKED, move
from rollouts.strategies import SilentAgents, members_of

_BATCH = 2_000


def release_wave(*, rollout: Rollout, number: int, now: datetime) -> bool:
    """Choose the members of the next wave and release the version to them. False if another worker was faster."""
    rule = rollout.strategy.wave(number)
    agents = serving_agents(rollout.stack) if number == 1 else joiners(rollout)
    if rule.labels:
        agents = agents.filter(labels__label__in=rule.labels).distinct()
    matched = list(agents.values_list("pk", flat=True))
    chosen = members_of(rule, chain_id=rollout.chain_id, matched=matched)
    absent = _absent(rollout, now)
    facts = {
        "wave": number,
        "name": rule.name,
        "matched": len(matched),
        "members": len(chosen),
        "deferred": len(absent.intersection(chosen)),
        "checks": list(rule.checks),
    }
    if not move(
        rollout=rollout,
        to=RolloutState.PROGRESSING,
        among=MOVING,
        kind=RolloutEventKind.ROLLOUT_WAVE_RELEASED,
        actor=SYSTEM,
        now=now,
        look_in=MAX_UNLOOKED,
        facts=facts,
        fields={"wave": number},
    ):
        return False
    RolloutWave.objects.filter(rollout=rollout, number=number).update(
        released_at=now, running_since=now, matched=len(matched)
    )
    _add_members(rollout, number, chosen, absent)
    return True


def release_late(*, rollout: Rollout, now: datetime) -> None:
    """Release the version to agents that joined after the last wave, and to deferred members that are heard again."""
    back = heard_again(rollout, now=now)
    agent_ids = list(back.values_list("agent_id", flat=True))
    if agent_ids:
        RolloutMember.objects.filter(rollout=rollout, agent__in=agent_ids).update(is_deferred=False)
        release(version=rollout.version, agent_ids=agent_ids)
    last = len(rollout.strategy.waves)
    if rollout.wave == last:
        new = list(joiners(rollout).values_list("pk", flat=True))
        _add_members(rollout, last, new, _absent(rollout, now))


def refill(*, rollout: Rollout, number: int, now: datetime) -> None:
    """Take the next agent into a wave whose members have all left the stack."""
    rule = rollout.strategy.wave(number)
    matched = spare_agents(rollout, rule).values_list("pk", flat=True)
    first = members_of(rule, chain_id=rollout.chain_id, matched=matched)[:1]
    _add_members(rollout, number, first, _absent(rollout, now))


def _absent(rollout: Rollout, now: datetime) -> set[UUID]:
    """The agents that would be deferred if they were chosen now."""
    if rollout.strategy.silent == SilentAgents.REQUIRED:
        return set()
    agents = serving_agents(rollout.stack).filter(pk__in=absent_agents(now).values("pk"))
    return set(agents.values_list("pk", flat=True))


def _add_members(rollout: Rollout, number: int, agent_ids: Sequence[UUID], absent: Iterable[UUID]) -> None:
    deferred = set(absent)
    RolloutMember.objects.bulk_create(
        (
            RolloutMember(rollout=rollout, wave=number, agent_id=agent_id, is_deferred=agent_id in deferred)
            for agent_id in agent_ids
        ),
        ignore_conflicts=True,
        batch_size=_BATCH,
    )
    release(
        version=rollout.version, agent_ids=[agent_id for agent_id in agent_ids if agent_id not in deferred]
    )
