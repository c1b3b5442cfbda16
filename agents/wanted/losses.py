"""Which agents may have lost which stacks by a write: the pairs whose tie it ended, if that tie counted.

`ties` tells whether another tie still connects a pair. A tie that did not count, because a registration was missing,
is no loss. So no agent loses a stack because of a changed setting.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from agents.models import AgentAnnotation, AgentLabel
from agents.wanted.ties import Offer, registered_agents, registered_generators, tied_agents, tied_stacks
from stacks.models import Stack, StackAnnotation, StackLabel


def stacks_by_label(agent_id: UUID, label: str) -> Any:
    """The ids of the stacks that the agent served by the label, which it has lost."""
    return StackLabel.objects.filter(_is_registered(agent_id), label=label).values_list("stack_id", flat=True)


def stacks_by_annotation(agent_id: UUID, key: str, value: str) -> Any:
    rows = StackAnnotation.objects.filter(_is_registered(agent_id), key=key, value=value)
    return rows.values_list("stack_id", flat=True)


def stacks_by_registration(agent_id: UUID, generator_id: UUID) -> Any:
    """The ids of the stacks that the agent served by labels, annotations and a registration that has ended."""
    if not settings.REQUIRE_REGISTRATION:
        return Stack.objects.none().values_list("pk", flat=True)
    return tied_stacks(agent_id).filter(generator=generator_id).values_list("pk", flat=True)


def agents_by_label(stack: Stack, label: str) -> Any:
    """The ids of the agents that served the stack by the label, which the stack has lost."""
    return AgentLabel.objects.filter(_has_registered(stack), label=label).values_list("agent_id", flat=True)


def agents_by_annotation(stack: Stack, key: str, value: str) -> Any:
    rows = AgentAnnotation.objects.filter(_has_registered(stack), key=key, value=value)
    return rows.values_list("agent_id", flat=True)


def agents_by_owner(stack: Stack, old_generator_id: UUID) -> Any:
    """The ids of the agents that served the stack by a registration with the generator that owned it before."""
    if not settings.REQUIRE_REGISTRATION:
        return Stack.objects.none().values_list("pk", flat=True)
    tied = tied_agents(Offer.of(stack)).filter(pk__in=registered_agents(old_generator_id))
    return tied.values_list("pk", flat=True)


def _is_registered(agent_id: UUID) -> Q:
    if not settings.REQUIRE_REGISTRATION:
        return Q()
    return Q(stack__generator_id__in=registered_generators(agent_id))


def _has_registered(stack: Stack) -> Q:
    if not settings.REQUIRE_REGISTRATION:
        return Q()
    return Q(agent_id__in=registered_agents(stack.generator_id))
