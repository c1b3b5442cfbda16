"""The worker's look at the rollouts under way: what is known, what the decision says, and doing it.

Each step is a transaction of its own and guarded, so that any number of workers may tick at once and any of them may
die anywhere. Nothing depends on having been there when something happened.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.events import SYSTEM
from rollouts.counts import read_facts
from rollouts.coverage import covering, freeze_of_stack, holding_freezes
from rollouts.decision import (
    AskApproval,
    ProveWave,
    Refill,
    ReleaseLate,
    ReleaseWave,
    Step,
    Stop,
    Succeed,
    Wait,
    next_step,
)
from rollouts.errors import RolloutStateConflict
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Freeze, Rollout, RolloutState, RolloutWave
from rollouts.models.rollout import MOVING
from rollouts.querysets import RolloutQuerySet
from rollouts.services.locking import lock_rollout
from rollouts.services.proving import mark_proven
from rollouts.services.releasing import refill, release_late, release_wave
from rollouts.services.rollbacks import roll_back_or_pause
from rollouts.services.succeeding import finish
from rollouts.services.transitions import MAX_UNLOOKED, move, tell

# A rollout takes three steps for each wave at most; more in one tick means that somebody else moves it too.
_MAX_STEPS = 200
# A worker takes so many rollouts at a time, and leaves the others to other workers.
_CLAIMED = 20


def tick_due(*, now: datetime) -> int:
    """Tick each rollout that is due; how many there were. Each is claimed by one worker."""
    ticked = 0
    while claimed := _claim(now):
        freezes = holding_freezes()
        for rollout in claimed:
            _tick(rollout, freezes, now)
        ticked += len(claimed)
    return ticked


def tick(*, rollout_id: UUID, now: datetime) -> None:
    """Do what there is to do for one rollout. Safe at any time, for any rollout."""
    rollout = _loaded().filter(pk=rollout_id).first()
    if rollout is not None:
        _tick(rollout, holding_freezes(), now)


def _claim(now: datetime) -> list[Rollout]:
    """Some rollouts that are due, and that no other worker has taken. A worker that dies leaves them for a minute."""
    due = Rollout.objects.due(now)
    # On SQLite a transaction keeps all others waiting, also if there is nothing to do in it.
    if not due.exists():
        return []
    with transaction.atomic():
        free = due.order_by("next_look_at").select_for_update(skip_locked=True, no_key=True)
        ids = list(free.values_list("pk", flat=True)[:_CLAIMED])
        # Before reading: a report that comes from now on finds a later time, and brings it forward again.
        Rollout.objects.filter(pk__in=ids).update(next_look_at=now + MAX_UNLOOKED)
    return list(_loaded().filter(pk__in=ids))


def _loaded() -> RolloutQuerySet:
    rows = Rollout.objects.moving().with_version().select_related("stack")
    return rows.prefetch_related("waves", "checks")


def _tick(first: Rollout, freezes: list[Freeze], now: datetime) -> None:
    rollout: Rollout | None = first
    for _ in range(_MAX_STEPS):
        if rollout is None:
            return
        is_frozen = covering(rollout.stack, freezes) is not None
        known = read_facts(rollout, is_frozen=is_frozen, now=now)
        if known.newly_proven:
            mark_proven(rollout, now=now)
        step = next_step(rollout.strategy, known.facts, is_proven=_is_proven(rollout), now=now)
        if isinstance(step, Wait) or _is_asked_already(rollout, step):
            _wait(rollout, step, now)
            return
        if not _apply(rollout, step, now):
            return
        rollout = _loaded().filter(pk=rollout.pk).first()


def _is_proven(rollout: Rollout) -> bool:
    return any(wave.number == rollout.wave and wave.proven_at is not None for wave in rollout.waves.all())


def _is_asked_already(rollout: Rollout, step: Step) -> bool:
    return isinstance(step, AskApproval) and rollout.state == RolloutState.WAITING_FOR_APPROVAL


def _wait(rollout: Rollout, step: Step, now: datetime) -> None:
    until = step.until if isinstance(step, Wait) else None
    if until is not None and now < until < now + MAX_UNLOOKED:
        Rollout.objects.moving().filter(pk=rollout.pk, next_look_at__gt=until).update(next_look_at=until)


def _apply(read: Rollout, step: Step, now: datetime) -> bool:
    """Do one step if the rollout is where it was when it was read; whether there may be more to do."""
    with transaction.atomic():
        try:
            stack, rollout = lock_rollout(read.pk)
        except RolloutStateConflict:
            return False
        if (rollout.state, rollout.wave, rollout.state_since) != (read.state, read.wave, read.state_since):
            return True
        if not isinstance(step, ProveWave | AskApproval | Stop) and freeze_of_stack(stack) is not None:
            # It began after the facts were read.
            return False
        return _do(rollout, step, now)


def _do(rollout: Rollout, step: Step, now: datetime) -> bool:
    match step:
        case Stop():
            roll_back_or_pause(rollout=rollout, stop=step, now=now)
            return False
        case ReleaseLate():
            release_late(rollout=rollout, now=now)
        case Refill():
            refill(rollout=rollout, number=step.wave, now=now)
        case ProveWave():
            _prove(rollout, step.wave, now)
        case AskApproval():
            _ask(rollout, step.wave, now)
        case ReleaseWave():
            return release_wave(rollout=rollout, number=step.wave, now=now)
        case Succeed():
            _succeed(rollout, now)
    return True


def _prove(rollout: Rollout, number: int, now: datetime) -> None:
    rows = RolloutWave.objects.filter(rollout=rollout, number=number, proven_at__isnull=True)
    if rows.update(proven_at=now):
        tell(RolloutEventKind.ROLLOUT_WAVE_PROVEN, rollout, actor=SYSTEM, facts={"wave": number})


def _ask(rollout: Rollout, number: int, now: datetime) -> None:
    move(
        rollout=rollout,
        to=RolloutState.WAITING_FOR_APPROVAL,
        among=MOVING,
        kind=RolloutEventKind.ROLLOUT_APPROVAL_REQUESTED,
        actor=SYSTEM,
        now=now,
        look_in=MAX_UNLOOKED,
        facts={"asked_wave": number},
    )


def _succeed(rollout: Rollout, now: datetime) -> None:
    if move(
        rollout=rollout,
        to=RolloutState.SUCCEEDED,
        among=MOVING,
        kind=RolloutEventKind.ROLLOUT_SUCCEEDED,
        actor=SYSTEM,
        now=now,
    ):
        finish(rollout=rollout, now=now)
