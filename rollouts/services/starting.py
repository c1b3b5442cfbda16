"""How a version reaches the fleet: all agents at once, or by a rollout.

The caller has locked the stack.
"""

from collections.abc import Iterable
from datetime import datetime

from agents.models import HoldReason, VersionHold
from agents.services.holds import hold, lift, replace_reason
from agents.wanted.versions import held_versions, newest_unheld
from core.events import SYSTEM, Actor
from rollouts.coverage import freeze_of_stack
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout, RolloutState, RolloutWave
from rollouts.models.rollout import MOVING, RUNNING, UNFINISHED, UNSTARTED
from rollouts.services.frozen_writes import is_held_by_freeze
from rollouts.services.transitions import Cause, move, tell
from rollouts.strategies import OnNewer, Strategy, strategy_to_json, warnings_about
from stacks.models import DeploymentObject, Stack
from stacks.querysets import DeploymentObjectQuerySet
from stacks.services import DEFAULT_OPTIONS, PublishOptions


def hold_for_rollout(
    *,
    stack: Stack,
    version: DeploymentObject,
    strategy: Strategy | None,
    actor: Actor,
    now: datetime,
    options: PublishOptions = DEFAULT_OPTIONS,
) -> Rollout | None:
    """Hold a version that was just inserted, if its strategy or a freeze demands it, and start its rollout if possible.

    An admin may publish over the freeze. Then the waves wait for its end, and without a strategy all agents get the
    version. Returns its rollout; None if all agents get the version at once, or after a freeze.
    """
    if strategy is not None:
        hold(version=version, reason=HoldReason.ROLLOUT)
    if is_held_by_freeze(stack=stack, actor=actor, options=options):
        hold(version=version, reason=HoldReason.FREEZE)
        if strategy is None:
            return None
        return _create(stack, version, strategy, RolloutState.FROZEN, actor)
    return bring_to_fleet(stack=stack, version=version, strategy=strategy, actor=actor, now=now)


def bring_to_fleet(
    *, stack: Stack, version: DeploymentObject, strategy: Strategy | None, actor: Actor, now: datetime
) -> Rollout | None:
    """Start or queue the rollout of a held version. Without a strategy, all agents get the version."""
    if strategy is None:
        supersede_older(stack=stack, version=version, actor=actor, now=now)
        lift(version=version, reason=HoldReason.ROLLOUT)
        return None
    waits = _must_wait(stack)
    supersede_older(stack=stack, version=version, actor=actor, now=now, states=UNSTARTED)
    rollout = _create(stack, version, strategy, RolloutState.QUEUED, actor)
    if waits:
        tell(RolloutEventKind.ROLLOUT_QUEUED, rollout, actor=actor)
    else:
        start(rollout=rollout, stack=stack, actor=actor, now=now)
    return rollout


def start(*, rollout: Rollout, stack: Stack, actor: Actor, now: datetime) -> None:
    """Start a rollout that has not started. It supersedes the rollout that is running."""
    running = Rollout.objects.running().of_stack(stack.pk).first()
    # After an abort, a person has let the version go: who has it already is to be its canary again.
    aborted = Rollout.objects.filter(version=rollout.version).exclude(pk=rollout.pk).order_by("-pk").first()
    forerunner = aborted or running
    supersede_older(stack=stack, version=rollout.version, actor=actor, now=now, states=RUNNING)
    previous = newest_unheld(stack.pk)
    fields = {
        "started_at": now,
        "previous": previous,
        "chain_id": forerunner.chain_id if forerunner is not None else rollout.pk,
    }
    if move(
        rollout=rollout,
        to=RolloutState.PROGRESSING,
        among=UNSTARTED,
        kind=RolloutEventKind.ROLLOUT_STARTED,
        actor=actor,
        now=now,
        facts={
            "previous_sequence_id": previous.pk if previous is not None else None,
            "warnings": warnings_about(rollout.strategy),
        },
        fields=fields,
    ):
        numbers = range(1, len(rollout.strategy.waves) + 1)
        RolloutWave.objects.bulk_create(RolloutWave(rollout=rollout, number=number) for number in numbers)


def start_queued(*, stack: Stack, now: datetime) -> None:
    """Start the rollout that waited for another one to end, unless a freeze covers the stack."""
    queued = Rollout.objects.of_stack(stack.pk).with_version().filter(state=RolloutState.QUEUED).first()
    if queued is not None and freeze_of_stack(stack) is None:
        start(rollout=queued, stack=stack, actor=SYSTEM, now=now)


def thaw(*, stack: Stack, now: datetime) -> bool:
    """Start the newest version that was held only by a freeze; it supersedes older ones. Whether there was one.

    It does nothing while a freeze covers the stack.
    """
    frozen = list(
        DeploymentObject.objects.versions()
        .filter(stack=stack, holds__reason=HoldReason.FREEZE)
        .newest_first()
        .defer("yaml_content")
    )
    queued = Rollout.objects.of_stack(stack.pk).filter(state=RolloutState.QUEUED).exists()
    if (not frozen and not queued) or freeze_of_stack(stack) is not None:
        return False
    if frozen:
        _thaw(stack, frozen, now)
    if not Rollout.objects.running().of_stack(stack.pk).exists():
        start_queued(stack=stack, now=now)
    return True


def _thaw(stack: Stack, frozen: list[DeploymentObject], now: datetime) -> None:
    newest, *older = frozen
    _set_aside(older, now)
    if open_versions_after(newest).exists():
        # A rollback, for which somebody overrode the freeze, has replaced it.
        _set_aside([newest], now)
        return
    rollout = Rollout.objects.with_version().filter(version=newest, state=RolloutState.FROZEN).first()
    if rollout is None:
        supersede_older(stack=stack, version=newest, actor=SYSTEM, now=now)
        lift(version=newest, reason=HoldReason.FREEZE)
        return
    lift(version=newest, reason=HoldReason.FREEZE)
    supersede_older(stack=stack, version=newest, actor=SYSTEM, now=now, states=UNSTARTED)
    if _must_wait(stack):
        move(
            rollout=rollout,
            to=RolloutState.QUEUED,
            among=[RolloutState.FROZEN],
            kind=RolloutEventKind.ROLLOUT_QUEUED,
            actor=SYSTEM,
            now=now,
        )
    else:
        start(rollout=rollout, stack=stack, actor=SYSTEM, now=now)


def open_versions_after(version: DeploymentObject) -> DeploymentObjectQuerySet:
    """Newer versions of the stack that reach the fleet or have reached it.

    A version that is held by a freeze, or because its content was rolled back, does not. Neither does one whose rollout
    was ended before any agent got the version.
    """
    had_by_nobody = held_versions(version.stack_id).filter(releases__isnull=True)
    coming = Rollout.objects.unfinished().of_stack(version.stack_id).exclude(state=RolloutState.FROZEN)
    back = VersionHold.objects.filter(reason=HoldReason.ROLLBACK)
    closed = had_by_nobody.exclude(pk__in=coming.values("version")).exclude(pk__in=back.values("version"))
    rows: DeploymentObjectQuerySet = DeploymentObject.objects.versions()
    return rows.filter(stack=version.stack_id, pk__gt=version.pk).exclude(pk__in=closed.values("pk"))


def supersede_older(
    *,
    stack: Stack,
    version: DeploymentObject,
    actor: Actor,
    now: datetime,
    states: Iterable[RolloutState] = UNFINISHED,
) -> None:
    """End the rollouts of older versions of the stack that are in these states. Released versions stay released."""
    rows = Rollout.objects.of_stack(stack.pk).filter(state__in=list(states), version__lt=version.pk)
    for rollout in rows.with_version().order_by("version"):
        if rollout.state == RolloutState.FROZEN:
            replace_reason(version=rollout.version, old=HoldReason.FREEZE, new=HoldReason.SUPERSEDED)
        move(
            rollout=rollout,
            to=RolloutState.SUPERSEDED,
            among=UNFINISHED,
            kind=RolloutEventKind.ROLLOUT_SUPERSEDED,
            actor=actor,
            now=now,
            cause=Cause.NEWER_VERSION,
            facts={"by_sequence_id": version.pk},
        )


def _set_aside(versions: Iterable[DeploymentObject], now: datetime) -> None:
    for version in versions:
        replace_reason(version=version, old=HoldReason.FREEZE, new=HoldReason.SUPERSEDED)
        for rollout in Rollout.objects.with_version().filter(version=version, state=RolloutState.FROZEN):
            move(
                rollout=rollout,
                to=RolloutState.SUPERSEDED,
                among=UNSTARTED,
                kind=RolloutEventKind.ROLLOUT_SUPERSEDED,
                actor=SYSTEM,
                now=now,
                cause=Cause.NEWER_VERSION,
            )


def _must_wait(stack: Stack) -> bool:
    """Whether newer rollouts must wait for the running one. A paused rollout has stopped, so they need not wait."""
    running = Rollout.objects.running().of_stack(stack.pk).first()
    return running is not None and running.state in MOVING and running.strategy.on_newer == OnNewer.QUEUE


def _create(
    stack: Stack, version: DeploymentObject, strategy: Strategy, state: RolloutState, actor: Actor
) -> Rollout:
    return Rollout.objects.create(
        stack=stack,
        version=version,
        strategy_name=strategy.name,
        definition=strategy_to_json(strategy),
        state=state,
        publisher_role=actor.type,
        publisher_id=actor.id,
        publisher_key_id=actor.key_id,
        publisher_label=actor.label,
    )
