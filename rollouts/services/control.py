"""What people can do with a rollout.

An action that overrides a safeguard needs a reason. The audit log stores every reason.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.models import HoldReason, StackReport
from agents.models.event import EventStatus
from agents.services.holds import lift
from core.events import Actor
from core.refusals import refuse
from rollouts.errors import (
    CheckNotAwaited,
    NotAnotherPerson,
    ReasonRequired,
    RolloutStateConflict,
    WaveNotWaiting,
)
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout, RolloutCheck, RolloutMember, RolloutState, RolloutWave
from rollouts.models.rollout import MOVING, RUNNING, UNFINISHED
from rollouts.services.frozen_writes import require_thawed
from rollouts.services.locking import lock_rollout
from rollouts.services.starting import start_queued
from rollouts.services.succeeding import finish
from rollouts.services.transitions import move, tell


@transaction.atomic
def pause(*, rollout_id: UUID, reason: str, actor: Actor, now: datetime, cause: str = "") -> Rollout:
    """Stop releasing. Released versions stay released. Raises RolloutNotFound, RolloutStateConflict."""
    _, rollout = lock_rollout(rollout_id)
    if not move(
        rollout=rollout,
        to=RolloutState.PAUSED,
        among=MOVING,
        kind=RolloutEventKind.ROLLOUT_PAUSED,
        actor=actor,
        now=now,
        cause=cause,
        reason=reason,
    ):
        raise RolloutStateConflict(state=rollout.state)
    return rollout


@transaction.atomic
def resume(*, rollout_id: UUID, reason: str, actor: Actor, now: datetime) -> Rollout:
    """Go on. The present failures no longer count, the deadline begins again, and failed checks are forgotten.

    Raises RolloutNotFound, RolloutStateConflict.
    """
    _, rollout = lock_rollout(rollout_id)
    failing = StackReport.objects.filter(
        stack=rollout.stack_id, sequence_id=rollout.version_id, status=EventStatus.FAILURE
    )
    accepted = RolloutMember.objects.filter(
        rollout=rollout, is_accepted=False, agent__in=failing.values("agent")
    ).update(is_accepted=True)
    cleared, _ = rollout.checks.filter(verdict=RolloutCheck.Verdict.FAILED).delete()
    RolloutWave.objects.filter(rollout=rollout, number=rollout.wave).update(running_since=now)
    if not move(
        rollout=rollout,
        to=RolloutState.PROGRESSING,
        among=[RolloutState.PAUSED],
        kind=RolloutEventKind.ROLLOUT_RESUMED,
        actor=actor,
        now=now,
        reason=reason,
        facts={"accepted_failures": accepted, "cleared_checks": cleared},
    ):
        raise RolloutStateConflict(state=rollout.state)
    return rollout


@transaction.atomic
def approve(*, rollout_id: UUID, wave: int, reason: str, actor: Actor, now: datetime) -> Rollout:
    """Approve the wave of that number, which waits for approval.

    Raises RolloutNotFound, RolloutStateConflict, WaveNotWaiting, NotAnotherPerson.
    """
    _, rollout = lock_rollout(rollout_id)
    if rollout.is_final:
        raise RolloutStateConflict(state=rollout.state)
    if rollout.state != RolloutState.WAITING_FOR_APPROVAL or wave != rollout.wave + 1:
        raise WaveNotWaiting(wave=wave, state=rollout.state)
    if rollout.strategy.approval_by_another and is_publisher(rollout, actor):
        refuse(NotAnotherPerson())
    RolloutWave.objects.filter(rollout=rollout, number=wave).update(
        approved_at=now, approved_by=actor.label or actor.type, approval_reason=reason
    )
    move(
        rollout=rollout,
        to=RolloutState.PROGRESSING,
        among=MOVING,
        kind=RolloutEventKind.ROLLOUT_APPROVED,
        actor=actor,
        now=now,
        reason=reason,
        facts={"approved_wave": wave},
    )
    return rollout


def is_publisher(rollout: Rollout, actor: Actor) -> bool:
    """Whether the actor published the version.

    It did if it is the same agent or generator, has the same key, or has the same name on the admin site.
    """
    if str(actor.type) != rollout.publisher_role:
        return False
    if actor.id is not None or rollout.publisher_id is not None:
        return actor.id == rollout.publisher_id
    if actor.key_id is not None or rollout.publisher_key_id is not None:
        return actor.key_id == rollout.publisher_key_id
    return actor.label == rollout.publisher_label


@transaction.atomic
def abort(*, rollout_id: UUID, reason: str, actor: Actor, now: datetime) -> Rollout:
    """End the rollout. Agents that have the new version keep it. No other agent gets it.

    This stays so until somebody publishes or rolls back.

    Raises RolloutNotFound, ReasonRequired, RolloutStateConflict.
    """
    _require(reason)
    stack, rollout = lock_rollout(rollout_id)
    was_frozen = rollout.state == RolloutState.FROZEN
    if not move(
        rollout=rollout,
        to=RolloutState.ABORTED,
        among=UNFINISHED,
        kind=RolloutEventKind.ROLLOUT_ABORTED,
        actor=actor,
        now=now,
        reason=reason,
    ):
        raise RolloutStateConflict(state=rollout.state)
    if was_frozen:
        # The end of the freeze must not start this rollout. The version stays held for its rollout.
        lift(version=rollout.version, reason=HoldReason.FREEZE)
    else:
        start_queued(stack=stack, now=now)
    return rollout


@transaction.atomic
def skip(
    *, rollout_id: UUID, reason: str, actor: Actor, now: datetime, override_reason: str | None = None
) -> Rollout:
    """Release the version to all agents now.

    Raises RolloutNotFound, ReasonRequired, RolloutStateConflict, Frozen.
    """
    _require(reason)
    stack, rollout = lock_rollout(rollout_id)
    require_thawed(stack=stack, actor=actor, override_reason=override_reason)
    if not move(
        rollout=rollout,
        to=RolloutState.SUCCEEDED,
        among=RUNNING,
        kind=RolloutEventKind.ROLLOUT_SUCCEEDED,
        actor=actor,
        now=now,
        reason=reason,
        facts={"skipped": True},
        fields={"is_skipped": True},
    ):
        raise RolloutStateConflict(state=rollout.state)
    finish(rollout=rollout, now=now)
    return rollout


@transaction.atomic
def report_check(
    *,
    rollout_id: UUID,
    wave: int,
    name: str,
    verdict: RolloutCheck.Verdict,
    note: str,
    actor: Actor,
    now: datetime,
) -> RolloutCheck:
    """Store the verdict of an outside check on a released wave. The latest verdict counts.

    Raises RolloutNotFound, RolloutStateConflict, CheckNotAwaited.
    """
    _, rollout = lock_rollout(rollout_id)
    if rollout.state not in RUNNING:
        raise RolloutStateConflict(state=rollout.state)
    strategy = rollout.strategy
    if not 1 <= wave <= rollout.wave or name not in strategy.wave(wave).checks:
        raise CheckNotAwaited(wave=wave, check=name)
    check, _ = RolloutCheck.objects.update_or_create(
        rollout=rollout,
        wave=wave,
        name=name,
        defaults={
            "verdict": verdict,
            "note": note,
            "reported_by": actor.label or actor.type,
            "reported_at": now,
        },
    )
    Rollout.objects.moving().filter(pk=rollout.pk).update(next_look_at=now)
    tell(
        RolloutEventKind.ROLLOUT_CHECK_REPORTED,
        rollout,
        actor=actor,
        facts={"checked_wave": wave, "check": name, "verdict": str(verdict), "note": note},
    )
    return check


def pause_all(*, reason: str, cause: str, actor: Actor, now: datetime) -> int:
    """Pause all rollouts that the worker looks at, one by one; the number paused."""
    paused = 0
    for rollout_id in Rollout.objects.moving().order_by("stack").values_list("pk", flat=True):
        try:
            pause(rollout_id=rollout_id, reason=reason, cause=cause, actor=actor, now=now)
        except RolloutStateConflict:
            # The rollout has stopped or ended since it was read.
            continue
        paused += 1
    return paused


def _require(reason: str) -> None:
    if not reason.strip():
        raise ReasonRequired
