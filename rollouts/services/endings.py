"""What ends in rollouts when a stack or an agent is deleted."""

from datetime import datetime

from agents.models import Agent
from agents.services.holds import forget_older_holds
from core.events import Actor
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import (
    RolledBackContent,
    Rollout,
    RolloutMember,
    RolloutState,
    StackRolloutStrategy,
)
from rollouts.models.rollout import UNFINISHED
from rollouts.services.looking import look_again_after_commit
from rollouts.services.transitions import Cause, move
from stacks.models import DeploymentObject, Stack


def end_with_stack(*, stack: Stack, marker: DeploymentObject, actor: Actor, now: datetime) -> None:
    """End the rollouts of a stack that is being deleted, and the holds on its versions."""
    for rollout in Rollout.objects.unfinished().of_stack(stack.pk).with_version():
        move(
            rollout=rollout,
            to=RolloutState.ABORTED,
            among=UNFINISHED,
            kind=RolloutEventKind.ROLLOUT_ABORTED,
            actor=actor,
            now=now,
            cause=Cause.STACK_DELETED,
        )
    StackRolloutStrategy.objects.filter(stack=stack).delete()
    RolledBackContent.objects.filter(stack=stack).delete()
    forget_older_holds(version=marker)


def leave_rollouts(*, agent: Agent, now: datetime) -> None:
    """Remove a deleted agent from the waves of unfinished rollouts, so that they no longer wait for it."""
    members = RolloutMember.objects.filter(agent=agent, rollout__in=Rollout.objects.unfinished())
    rollout_ids = list(members.values_list("rollout", flat=True))
    members.delete()
    look_again_after_commit(rollout_ids, now=now)
