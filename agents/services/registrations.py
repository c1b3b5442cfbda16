"""Registering agents with generators."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from agents.errors import AlreadyRegistered
from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentTarget, Registration
from agents.services.removals import lock_agent_row, owe_removals_of_agent, withdraw_removals
from agents.wanted.losses import stacks_by_registration
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, emit, with_via
from generators.models import Generator


@transaction.atomic
def register_agent(*, agent_id: UUID, generator: Generator, actor: Actor) -> Registration:
    """Let the agent serve a locked generator's stacks. Raises AlreadyRegistered, ForeignKeyViolation."""
    agent = Agent.objects.active().select_for_update(no_key=True).filter(id=agent_id).first()
    if agent is None:
        raise ForeignKeyViolation(
            "There is no such agent.",
            constraint="agent_generator_registrations_agent_id_fkey",
            agent_id=agent_id,
        )
    registration, created = Registration.objects.get_or_create(agent=agent, generator=generator)
    if not created:
        raise AlreadyRegistered
    withdraw_removals(agent_id=agent_id)
    _tell(AgentEventKind.AGENT_REGISTERED, agent_id, generator, actor)
    return registration


@transaction.atomic
def deregister_agent(*, agent_id: UUID, generator: Generator, actor: Actor) -> bool:
    """Withdraw the registration and the agent's explicit targets on a locked generator's stacks.

    If nothing else gives the agent a stack, its removal is owed. Returns whether there was anything to withdraw.
    """
    # The agent is locked, so that no target is written because of the registration that ends here.
    lock_agent_row(agent_id)
    targets = AgentTarget.objects.filter(agent_id=agent_id, stack__generator=generator)
    targeted = set(targets.values_list("stack_id", flat=True))
    lost = targeted | set(stacks_by_registration(agent_id, generator.id))
    targets.delete()
    deregistered, _ = Registration.objects.filter(agent_id=agent_id, generator=generator).delete()
    removed = targeted or deregistered
    if removed:
        owe_removals_of_agent(agent_id=agent_id, stack_ids=lost)
        _tell(AgentEventKind.AGENT_DEREGISTERED, agent_id, generator, actor, untargeted=targeted)
    return bool(removed)


@transaction.atomic
def register_all(*, generator: Generator, actor: Actor, via: str | None = None) -> int:
    """Register all live agents that are not yet registered with a locked generator; the number of new registrations."""
    registered = Registration.objects.filter(generator=generator).values("agent_id")
    agents = Agent.objects.active().exclude(id__in=registered).order_by("id").select_for_update(no_key=True)
    missing = list(agents.values_list("id", flat=True))
    Registration.objects.bulk_create(
        [Registration(agent_id=agent_id, generator=generator) for agent_id in missing], ignore_conflicts=True
    )
    withdraw_removals(generator_id=generator.id)
    for agent_id in missing:
        _tell(AgentEventKind.AGENT_REGISTERED, agent_id, generator, actor, via=via)
    return len(missing)


def _tell(
    kind: AgentEventKind,
    agent_id: UUID,
    generator: Generator,
    actor: Actor,
    *,
    via: str | None = None,
    untargeted: Collection[UUID] = (),
) -> None:
    details: dict[str, object] = {"generator_id": str(generator.id)}
    words: dict[str, object] = {**details, "generator": generator.name}
    is_new = kind == AgentEventKind.AGENT_REGISTERED
    if untargeted:
        words["targets"] = sorted(str(stack_id) for stack_id in untargeted)
    emit(
        Event(
            kind=kind,
            resource_type="agent",
            resource_id=agent_id,
            actor=actor,
            details=with_via(details, via),
            before=None if is_new else words,
            after=words if is_new else None,
        )
    )
