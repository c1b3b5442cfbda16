"""Which stacks an agent may read."""

from agents.models import MarkerDelivery
from agents.wanted.ties import served_stacks
from paks.principals import Principal
from stacks.models import Stack


def agent_may_read(principal: Principal, stack: Stack) -> bool:
    """Whether the calling agent serves the stack, or must still remove what it deployed of a deleted stack."""
    if principal.agent_id is None:
        return False
    if stack.deleted_at is not None:
        return MarkerDelivery.objects.filter(agent_id=principal.agent_id, marker__stack=stack).exists()
    return served_stacks(principal.agent_id).filter(pk=stack.pk).exists()
