"""Consequences here of what happens below."""

from typing import Any

from django.dispatch import receiver

from agents.models import AgentTarget, MarkerDelivery, Registration, StackReport
from agents.wanted.ties import serving_agents
from generators.models import Generator
from generators.signals import generator_deleted
from stacks.models import DeploymentObject, Stack
from stacks.signals import stack_deleted


@receiver(stack_deleted, dispatch_uid="agents.deliver_marker")
def deliver_marker(stack: Stack, marker: DeploymentObject, **kwargs: Any) -> None:
    """Owe the marker to every serving agent that had reported on the stack, then drop the explicit targets."""
    reported = StackReport.objects.filter(stack=stack).values("agent_id")
    MarkerDelivery.objects.bulk_create(
        MarkerDelivery(agent_id=agent_id, marker=marker)
        for agent_id in serving_agents(stack).filter(pk__in=reported).values_list("pk", flat=True)
    )
    AgentTarget.objects.filter(stack=stack).delete()


# Connected after the stacks app's receiver of the same signal, which deletes the stacks: whether an agent is
# owed a marker may depend on its registration. INSTALLED_APPS keeps that order.
@receiver(generator_deleted, dispatch_uid="agents.close_registrations")
def close_registrations(generator: Generator, **kwargs: Any) -> None:
    Registration.objects.filter(generator=generator).delete()
