"""What this app does when the apps below send a signal."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from agents.models import Agent, HoldReason
from agents.services.holds import hold
from agents.signals import agent_deleted
from core import clock
from core.events import Actor, Event, event_emitted
from generators.models import Generator
from generators.signals import generator_deleted
from health.signals import health_reported
from paks.actors import ActorType
from rollouts.coverage import freeze_of_stack
from rollouts.preview import waves_for_nobody
from rollouts.services.endings import end_with_stack, leave_rollouts
from rollouts.services.freezes import end_freezes_of_generator
from rollouts.services.frozen_writes import refuse_while_frozen, why_not_overridden
from rollouts.services.looking import look_at_versions_after_commit
from rollouts.services.rollbacks import RollbackOptions
from rollouts.services.rolled_back_contents import is_forbidden
from rollouts.services.starting import hold_for_rollout
from rollouts.services.strategies import strategy_for
from rollouts.strategies import warnings_about
from stacks.manifests import Code, Finding
from stacks.models import DeploymentObject, Stack
from stacks.services import PublishOptions
from stacks.signals import stack_deleted, version_published

_REPORTS = frozenset({"deployment.applied", "deployment.failed"})


@receiver(version_published, dispatch_uid="rollouts.hold_version")
def hold_version(
    stack: Stack,
    version: DeploymentObject,
    actor: Actor,
    options: PublishOptions,
    *,
    is_unusual: bool,
    **kwargs: Any,
) -> list[Finding]:
    """Hold a version that not all agents may get at once. May refuse the strategy that the request names.

    Returns a warning for each wave of its rollout that matches no agent or may never be proven, and one if the caller
    asked in vain to override the freeze that holds it. Health does not count for a marker.
    """
    if isinstance(options, RollbackOptions):
        return []
    if options.strategy is None and not is_unusual:
        return []
    strategy = strategy_for(stack=stack, options=options, actor=actor)
    if actor.type == ActorType.GENERATOR and is_forbidden(version=version):
        hold(version=version, reason=HoldReason.ROLLED_BACK_CONTENT)
        return []
    rollout = hold_for_rollout(
        stack=stack, version=version, strategy=strategy, actor=actor, now=clock.now(), options=options
    )
    in_vain = why_not_overridden(actor)
    frozen = [Finding(Code.FREEZE_NOT_OVERRIDDEN, in_vain)] if in_vain and freeze_of_stack(stack) else []
    if rollout is None:
        return frozen
    unmatched = waves_for_nobody(rollout.strategy, stack)
    unproven = [] if version.is_deletion_marker else warnings_about(rollout.strategy)
    return [
        *frozen,
        *(Finding(Code.WAVE_MATCHES_NOBODY, sentence) for sentence in unmatched),
        *(Finding(Code.MAY_NEVER_BE_PROVEN, sentence) for sentence in unproven),
    ]


@receiver(stack_deleted, dispatch_uid="rollouts.end_with_stack")
def end_rollouts_of_stack(stack: Stack, marker: DeploymentObject, actor: Actor, **kwargs: Any) -> None:
    end_with_stack(stack=stack, marker=marker, actor=actor, now=clock.now())


@receiver(agent_deleted, dispatch_uid="rollouts.leave_rollouts")
def leave_rollouts_of_deleted_agent(agent: Agent, **kwargs: Any) -> None:
    leave_rollouts(agent=agent, now=clock.now())


# This runs after the stacks app's receiver, which deletes the stacks. INSTALLED_APPS gives that order.
@receiver(generator_deleted, dispatch_uid="rollouts.end_freezes_of_generator")
def end_freezes_of_deleted_generator(generator: Generator, actor: Actor, **kwargs: Any) -> None:
    end_freezes_of_generator(generator=generator, actor=actor, now=clock.now())


@receiver(event_emitted, dispatch_uid="rollouts.refuse_while_frozen")
def refuse_frozen_writes(events: Sequence[Event], **kwargs: Any) -> None:
    for event in events:
        refuse_while_frozen(event)


# An event that may have completed a wave makes the worker look again.
@receiver(event_emitted, dispatch_uid="rollouts.look_again_after_reports")
def look_again_after_reports(events: Sequence[Event], **kwargs: Any) -> None:
    object_ids = {
        UUID(str(event.data["deployment_object_id"]))
        for event in events
        if event.kind in _REPORTS and event.data is not None
    }
    if object_ids:
        look_at_versions_after_commit(object_ids, now=clock.now())


@receiver(health_reported, dispatch_uid="rollouts.look_again_after_health")
def look_again_after_health(object_ids: Collection[UUID], **kwargs: Any) -> None:
    look_at_versions_after_commit(object_ids, now=clock.now())
