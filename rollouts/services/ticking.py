"""How the worker looks at a rollout: it reads the facts, asks the decision, and applies the step.

Each step is guarded and has its own transaction, so any number of workers may tick at the same time, and each may die
at any moment. No step depends on having seen an earlier event.
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

# A rollout takes at most three steps for each wave. More steps in one tick mean that another process moves it too.
_MAX_STEPS = 200
# A worker takes this many rollouts at a time and leaves the others to other workers.
_CLAIMED = 20


def tick_due(*, now: datetime) -> int:
    """Tick all rollouts that are due; the number ticked. Only one worker claims each of them."""
    ticked = 0
    while claimed := _claim(now):
        freezes = holding_freezes()
        for rollout in claimed:
            _tick(rollout, freezes, now)
        ticked += len(claimed)
    return ticked


def tick(*, rollout_id: UUID, now: datetime) -> None:
    """Apply all steps that one rollout needs now. Safe at any time, for any rollout."""
    rollout = _loaded().filter(pk=rollout_id).first()
    if rollout is not None:
        _tick(rollout, holding_freezes(), now)


def _claim(now: datetime) -> list[Rollout]:
    """Some due rollouts that no other worker has taken. If the worker dies, they are due again a minute later."""
    due = Rollout.objects.due(now)
    # On SQLite all other transactions wait for this one, even if it has nothing to do.
    if not due.exists():
        return []
    with transaction.atomic():
        free = due.order_by("next_look_at").select_for_update(skip_locked=True, no_key=True)
        ids = list(free.values_list("pk", flat=True)[:_CLAIMED])
        # The time is set before the facts are read, so that a report that comes later makes the rollout due again.
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
        if is_frozen:
            _restart_deadline(rollout, now)
        step = next_step(rollout.strategy, known.facts, is_proven=_is_proven(rollout), now=now)
        if isinstance(step, Wait) or _is_asked_already(rollout, step):
            _wait(rollout, step, now)
            return
        if not _apply(rollout, step, now):
            return
        rollout = _loaded().filter(pk=rollout.pk).first()


def _is_proven(rollout: Rollout) -> bool:
    return any(wave.number == rollout.wave and wave.proven_at is not None for wave in rollout.waves.all())


def _restart_deadline(rollout: Rollout, now: datetime) -> None:
    """Let the deadline wait for the freeze.

    The end of a freeze restarts it too, but a freeze may go on and cover the stack no more, for example because an
    admin took its label from an agent.
    """
    RolloutWave.objects.filter(rollout=rollout, number=rollout.wave).update(running_since=now)


def _is_asked_already(rollout: Rollout, step: Step) -> bool:
    return isinstance(step, AskApproval) and rollout.state == RolloutState.WAITING_FOR_APPROVAL


def _wait(rollout: Rollout, step: Step, now: datetime) -> None:
    until = step.until if isinstance(step, Wait) else None
    if until is not None and now < until < now + MAX_UNLOOKED:
        Rollout.objects.moving().filter(pk=rollout.pk, next_look_at__gt=until).update(next_look_at=until)


def _apply(read: Rollout, step: Step, now: datetime) -> bool:
    """Apply one step if the rollout has not moved since it was read; whether there may be more to do."""
    with transaction.atomic():
        try:
            stack, rollout = lock_rollout(read.pk)
        except RolloutStateConflict:
            return False
        if (rollout.state, rollout.wave, rollout.state_since) != (read.state, read.wave, read.state_since):
            return True
        if not isinstance(step, ProveWave | AskApproval | Stop) and freeze_of_stack(stack) is not None:
            # The freeze began after the facts were read.
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
