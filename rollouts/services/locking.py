"""The order of locks: the fleet's, generator, stack, rollout, agent."""

from uuid import UUID

from core.advisory_locks import AdvisoryLock, lock_shared
from rollouts.errors import RolloutNotFound, RolloutStateConflict
from rollouts.models import Rollout
from stacks.errors import StackNotFound
from stacks.models import Stack
from stacks.services import lock_stack


def lock_wanted_versions() -> None:
    """Keep freezes from beginning until the transaction ends. Before every other lock."""
    lock_shared(AdvisoryLock.WANTED_VERSIONS)


def lock_rollout(rollout_id: UUID) -> tuple[Stack, Rollout]:
    """The rollout and its live stack, both locked until the transaction ends.

    Raises RolloutNotFound, and RolloutStateConflict when the stack is deleted, which has ended the rollout.
    """
    lock_wanted_versions()
    stack_id = Rollout.objects.filter(pk=rollout_id).values_list("stack_id", flat=True).first()
    if stack_id is None:
        raise RolloutNotFound(id=rollout_id)
    try:
        stack = lock_stack(stack_id)
    except StackNotFound as error:
        raise RolloutStateConflict("The stack is deleted.", state="aborted") from error
    rows = Rollout.objects.select_for_update(no_key=True, of=("self",)).with_version()
    rollout = rows.get(pk=rollout_id)
    rollout.stack = stack
    return stack, rollout
