"""What this app does when the apps below send a signal."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from agents.models import Agent, AgentOffer, AgentTarget, MarkerDelivery, Registration, StackReport
from agents.services.removals import (
    lock_agent_row,
    lock_stack_row,
    owe_removals_of_agent,
    owe_removals_of_stack,
    replace_removals,
    withdraw_removals,
)
from agents.wanted import losses
from agents.wanted.ties import serving_agents
from core.labels.signals import annotation_added, annotation_removed, label_added, label_removed
from generators.models import Generator
from generators.signals import generator_deleted
from stacks.models import DeploymentObject, Stack
from stacks.signals import stack_deleted, stack_moved


@receiver(stack_deleted, dispatch_uid="agents.deliver_marker")
def deliver_marker(stack: Stack, marker: DeploymentObject, **kwargs: Any) -> None:
    """Owe the marker to every serving agent that was given a version of the stack, then delete the explicit targets."""
    offered = AgentOffer.objects.filter(stack=stack).values("agent_id")
    given = offered.union(StackReport.objects.filter(stack=stack).values("agent_id"))
    agent_ids = list(serving_agents(stack).filter(pk__in=given).values_list("pk", flat=True))
    replace_removals(stack_ids=[stack.pk], agent_ids=agent_ids)
    MarkerDelivery.objects.bulk_create(
        MarkerDelivery(agent_id=agent_id, marker=marker) for agent_id in agent_ids
    )
    AgentTarget.objects.filter(stack=stack).delete()


# This receiver must run after the stacks app's receiver of the same signal, which deletes the stacks: whether a
# marker is owed to an agent may depend on its registration. INSTALLED_APPS gives that order.
@receiver(generator_deleted, dispatch_uid="agents.close_registrations")
def close_registrations(generator: Generator, **kwargs: Any) -> None:
    Registration.objects.filter(generator=generator).delete()


@receiver(label_removed, sender=Agent, dispatch_uid="agents.agent_lost_label")
def agent_lost_label(owner: Agent, label: str, **kwargs: Any) -> None:
    lock_agent_row(owner.pk)
    owe_removals_of_agent(agent_id=owner.pk, stack_ids=losses.stacks_by_label(owner.pk, label))


@receiver(annotation_removed, sender=Agent, dispatch_uid="agents.agent_lost_annotation")
def agent_lost_annotation(owner: Agent, key: str, value: str, **kwargs: Any) -> None:
    lock_agent_row(owner.pk)
    owe_removals_of_agent(agent_id=owner.pk, stack_ids=losses.stacks_by_annotation(owner.pk, key, value))


@receiver(label_removed, sender=Stack, dispatch_uid="agents.stack_lost_label")
def stack_lost_label(owner: Stack, label: str, **kwargs: Any) -> None:
    lock_stack_row(owner.pk)
    owe_removals_of_stack(stack=owner, agent_ids=losses.agents_by_label(owner, label))


@receiver(annotation_removed, sender=Stack, dispatch_uid="agents.stack_lost_annotation")
def stack_lost_annotation(owner: Stack, key: str, value: str, **kwargs: Any) -> None:
    lock_stack_row(owner.pk)
    owe_removals_of_stack(stack=owner, agent_ids=losses.agents_by_annotation(owner, key, value))


@receiver(stack_moved, dispatch_uid="agents.stack_moved")
def stack_changed_hands(stack: Stack, old_generator_id: UUID, **kwargs: Any) -> None:
    """Owe and withdraw removals: where registration is required, a new owner changes which agents serve the stack."""
    owe_removals_of_stack(stack=stack, agent_ids=losses.agents_by_owner(stack, old_generator_id))
    withdraw_removals(stack_id=stack.pk)


@receiver(label_added, sender=Agent, dispatch_uid="agents.agent_gained_label")
@receiver(annotation_added, sender=Agent, dispatch_uid="agents.agent_gained_annotation")
def agent_gained_word(owner: Agent, **kwargs: Any) -> None:
    lock_agent_row(owner.pk)
    withdraw_removals(agent_id=owner.pk)


@receiver(label_added, sender=Stack, dispatch_uid="agents.stack_gained_label")
@receiver(annotation_added, sender=Stack, dispatch_uid="agents.stack_gained_annotation")
def stack_gained_word(owner: Stack, **kwargs: Any) -> None:
    lock_stack_row(owner.pk)
    withdraw_removals(stack_id=owner.pk)
