"""Which stacks an agent may read, and which agents a generator may see."""

from agents.models import Agent, MarkerDelivery
from agents.querysets import AgentQuerySet
from agents.wanted.ties import agents_serving_any, served_stacks
from paks.principals import Principal
from stacks.access import reached_stacks
from stacks.models import Stack


def agent_may_read(principal: Principal, stack: Stack) -> bool:
    """Whether the calling agent serves the stack, or must still remove what it deployed of a deleted stack."""
    if principal.agent_id is None:
        return False
    if stack.deleted_at is not None:
        return MarkerDelivery.objects.filter(agent_id=principal.agent_id, marker__stack=stack).exists()
    return served_stacks(principal.agent_id).filter(pk=stack.pk).exists()


def listable_agents(principal: Principal) -> AgentQuerySet:
    """The live agents in lists: all for an admin, for a generator those that are registered with it.

    A key with limits sees of them only those that serve a stack which it reaches.
    """
    rows, generator_id = Agent.objects.active(), principal.generator_id
    if generator_id is None:
        return rows if principal.is_admin else rows.none()
    rows = rows.registered_with(generator_id)
    if principal.limits is None:
        return rows
    live = reached_stacks(principal).active()
    return rows.filter(pk__in=agents_serving_any(live, generator_id=generator_id).values("pk"))
