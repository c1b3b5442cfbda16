"""What ends in rollouts when a stack or an agent is deleted."""

from datetime import datetime

from django.db.models import QuerySet

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
    """Remove an agent that is being deleted from the waves of unfinished rollouts, so that they do not wait for it."""
    _leave(RolloutMember.objects.filter(agent=agent), now)


def forget_deleted_members(*, now: datetime) -> int:
    """Remove deleted agents from the waves of unfinished rollouts; the number removed.

    A wave that is released while its agent is being deleted may take it in unseen by `leave_rollouts`.
    """
    return _leave(RolloutMember.objects.filter(agent__deleted_at__isnull=False), now)


def _leave(members: QuerySet[RolloutMember], now: datetime) -> int:
    found = dict(members.filter(rollout__in=Rollout.objects.unfinished()).values_list("pk", "rollout"))
    # On SQLite, even a write that changes no row waits for other writes.
    if found:
        RolloutMember.objects.filter(pk__in=found).delete()
        look_again_after_commit(set(found.values()), now=now)
    return len(found)
