"""Beginning and ending freezes, and starting the versions that were published during a freeze."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.models import HoldReason, VersionHold
from core.advisory_locks import AdvisoryLock, lock_alone
from core.events import SYSTEM, Actor, Event, emit
from core.validators import is_label
from generators.models import Generator
from rollouts.coverage import covers
from rollouts.errors import FreezeNotFound, InvalidFreeze
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Freeze, Rollout, RolloutState, RolloutWave
from rollouts.services.starting import thaw
from stacks.errors import StackNotFound
from stacks.services import lock_stack


@transaction.atomic
def begin_freeze(
    *,
    scope: Freeze.Scope,
    reason: str,
    actor: Actor,
    now: datetime,
    generator_id: UUID | None = None,
    label: str = "",
    until: datetime | None = None,
) -> Freeze:
    """Freeze what agents in the scope should have, until somebody lifts the freeze or its time is over.

    It waits until transactions that release versions have ended. Raises InvalidFreeze.
    """
    is_generator, is_of_label = scope == Freeze.Scope.GENERATOR, scope == Freeze.Scope.LABEL
    if (
        not reason.strip()
        or (until is not None and until <= now)
        or is_generator != (generator_id is not None)
        or is_of_label != bool(label)
        or (is_of_label and not is_label(label))
    ):
        raise InvalidFreeze
    lock_alone(AdvisoryLock.WANTED_VERSIONS)
    if generator_id is not None and not Generator.objects.active().filter(pk=generator_id).exists():
        raise InvalidFreeze("There is no such generator.", generator_id=generator_id)
    freeze = Freeze.objects.create(
        scope=scope,
        generator_id=generator_id,
        label=label,
        reason=reason,
        until=until,
        created_at=now,
        created_by=actor.label or actor.type,
    )
    _tell(RolloutEventKind.FREEZE_STARTED, freeze, actor)
    return freeze


def lift_freeze(*, freeze_id: UUID, actor: Actor, now: datetime) -> Freeze:
    """End the freeze. In each stack the newest version from the time of the freeze starts; it supersedes older ones.

    The stacks are handled one by one. If the process dies, the worker's `thaw_stacks` does the rest.
    Raises FreezeNotFound if no such freeze holds.
    """
    freeze = Freeze.objects.holding().filter(pk=freeze_id).first()
    if freeze is None or not _end(freeze, actor=actor, now=now, has_expired=False):
        raise FreezeNotFound(id=freeze_id)
    thaw_stacks(now=now)
    return freeze


def end_expired_freezes(*, now: datetime) -> int:
    """End the freezes whose time is over; the number ended."""
    expired = Freeze.objects.run_out(now).order_by("until")
    return sum(_end(freeze, actor=SYSTEM, now=now, has_expired=True) for freeze in expired)


def end_freezes_of_generator(*, generator: Generator, actor: Actor, now: datetime) -> None:
    """End the freezes of a deleted generator, which has no stacks left."""
    for freeze in Freeze.objects.holding().filter(generator=generator):
        _end(freeze, actor=actor, now=now, has_expired=False)


def thaw_stacks(*, now: datetime) -> int:
    """Start versions that were held only by freezes that are over; the number of their stacks.

    Safe at any time and in several workers at once.
    """
    frozen = VersionHold.objects.filter(reason=HoldReason.FREEZE, version__deleted_at__isnull=True)
    running = Rollout.objects.running()
    queued = Rollout.objects.filter(state=RolloutState.QUEUED).exclude(stack__in=running.values("stack"))
    stack_ids = {*frozen.values_list("version__stack", flat=True), *queued.values_list("stack", flat=True)}
    return sum(_thaw(stack_id, now) for stack_id in sorted(stack_ids))


@transaction.atomic
def _thaw(stack_id: UUID, now: datetime) -> bool:
    try:
        stack = lock_stack(stack_id)
    except StackNotFound:
        # The stack was deleted since it was read, with its held versions.
        return False
    return thaw(stack=stack, now=now)


@transaction.atomic
def _end(freeze: Freeze, *, actor: Actor, now: datetime, has_expired: bool) -> bool:
    """End the freeze; whether it still held. The deadlines of the rollouts that it covered begin again."""
    author = actor.label or actor.type
    ended = Freeze.objects.holding().filter(pk=freeze.pk)
    if not ended.update(lifted_at=now, lifted_by=author, has_expired=has_expired):
        return False
    freeze.lifted_at, freeze.lifted_by, freeze.has_expired = now, author, has_expired
    for rollout in Rollout.objects.running().select_related("stack"):
        if covers(freeze, rollout.stack):
            RolloutWave.objects.filter(rollout=rollout, number=rollout.wave).update(running_since=now)
            Rollout.objects.moving().filter(pk=rollout.pk).update(next_look_at=now)
    _tell(RolloutEventKind.FREEZE_LIFTED, freeze, actor)
    return True


def _tell(kind: RolloutEventKind, freeze: Freeze, actor: Actor) -> None:
    facts = {
        "scope": str(freeze.scope),
        "generator_id": str(freeze.generator_id) if freeze.generator_id else None,
        "label": freeze.label or None,
        "reason": freeze.reason,
        "has_expired": freeze.has_expired,
    }
    emit(
        Event(
            kind=kind,
            resource_type=Freeze.NOUN,
            resource_id=freeze.pk,
            actor=actor,
            details=facts,
            reason=freeze.reason if kind == RolloutEventKind.FREEZE_STARTED else "",
            data={
                "freeze_id": freeze.pk,
                **facts,
                "until": freeze.until,
                "started_at": freeze.created_at,
                "lifted_at": freeze.lifted_at,
            },
        )
    )
