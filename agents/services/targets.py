"""Explicit targets."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from agents.errors import AgentNotRegistered, AgentTargetNotFound
from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentTarget, Registration
from agents.services.removals import lock_agent_row, owe_removals_of_agent, withdraw_removals
from core.events import Actor, Event, emit
from core.integrity import unique_or_conflict
from stacks.models import Stack


def require_registration(*, agent_id: UUID, stack: Stack) -> None:
    """Raises AgentNotRegistered if registration is required and the agent has none with the stack's generator."""
    if (
        settings.REQUIRE_REGISTRATION
        and not Registration.objects.filter(agent_id=agent_id, generator_id=stack.generator_id).exists()
    ):
        raise AgentNotRegistered(agent_id=agent_id, generator_id=stack.generator_id)


@transaction.atomic
def add_target(*, agent: Agent, stack: Stack, actor: Actor) -> AgentTarget:
    """Make a locked stack a target of a locked agent. Raises AgentNotRegistered, UniqueViolation."""
    require_registration(agent_id=agent.id, stack=stack)
    with unique_or_conflict("unique_agent_stack"):
        target = AgentTarget.objects.create(agent=agent, stack=stack)
    withdraw_removals(agent_id=agent.id)
    _tell(AgentEventKind.AGENT_TARGET_ADDED, agent.id, stack, actor, after=_words(stack))
    return target


@transaction.atomic
def remove_target(*, agent_id: UUID, stack: Stack, actor: Actor) -> None:
    """Remove a locked stack from the agent's targets. If nothing else gives it to the agent, its removal is owed.

    Raises AgentTargetNotFound.
    """
    lock_agent_row(agent_id)
    removed, _ = AgentTarget.objects.filter(agent_id=agent_id, stack=stack).delete()
    if not removed:
        raise AgentTargetNotFound(agent_id=agent_id, stack_id=stack.id)
    owe_removals_of_agent(agent_id=agent_id, stack_ids=[stack.id])
    _tell(AgentEventKind.AGENT_TARGET_REMOVED, agent_id, stack, actor, before=_words(stack))


def _words(stack: Stack) -> dict[str, object]:
    return {"stack_id": str(stack.id), "stack": stack.name}


def _tell(
    kind: AgentEventKind,
    agent_id: UUID,
    stack: Stack,
    actor: Actor,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="agent",
            resource_id=agent_id,
            actor=actor,
            details={"stack_id": str(stack.id)},
            before=before,
            after=after,
        )
    )
