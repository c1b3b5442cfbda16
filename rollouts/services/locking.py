"""The order of locks: fleet, generator, stack, rollout, agent."""

from uuid import UUID

from core.advisory_locks import lock_wanted_versions
from rollouts.errors import RolloutNotFound, RolloutStateConflict
from rollouts.models import Rollout
from stacks.errors import StackNotFound
from stacks.models import Stack
from stacks.services import lock_stack


def lock_rollout(rollout_id: UUID) -> tuple[Stack, Rollout]:
    """The rollout and its live stack, both locked until the transaction ends.

    Raises RolloutNotFound, and RolloutStateConflict if the stack is deleted, because that has ended the rollout.
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
