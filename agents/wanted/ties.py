"""Which agent serves which stack, as querysets, for one agent or for one stack."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.models import Agent, AgentAnnotation, AgentLabel, AgentTarget, Registration
from agents.wanted.words import annotations_among, annotations_of, labels_of, labels_of_agents
from stacks.models import Stack, StackAnnotation, StackLabel


@dataclass(frozen=True, slots=True)
class Ties:
    """The rows that tie one agent to stacks, or one stack to agents, with or without a registration.

    `owner` names the column of the other side. If registration is required, labels and annotations count only under
    the condition `registered`.
    """

    owner: str
    targets: QuerySet[AgentTarget]
    labels: QuerySet[Any]
    annotations: QuerySet[Any]
    registered: Q

    def among(self, owners: Collection[UUID]) -> "Ties":
        """Only the ties to these stacks, or to these agents."""
        near = {f"{self.owner}__in": owners}
        return replace(
            self,
            targets=self.targets.filter(**near),
            labels=self.labels.filter(**near),
            annotations=self.annotations.filter(**near),
        )

    def owners(self, *, registration_counts: bool) -> QuerySet[AgentTarget, dict[str, Any]]:
        """The ids of the other side, each once.

        It is a union of index look-ups. With OR over joins or EXISTS, the planner would read every stack.
        """
        words = [self.labels, self.annotations]
        if registration_counts:
            words = [rows.filter(self.registered) for rows in words]
        owners: QuerySet[AgentTarget, dict[str, Any]] = self.targets.values(self.owner)
        return owners.union(*(rows.values(self.owner) for rows in words))


def ties_of_agent(agent_id: UUID) -> Ties:
    """The ties of an agent to stacks, live or deleted."""
    same = annotations_of(agent_id).filter(key=OuterRef("key"), value=OuterRef("value"))
    return Ties(
        "stack_id",
        AgentTarget.objects.filter(agent_id=agent_id),
        StackLabel.objects.filter(label__in=labels_of(agent_id)),
        StackAnnotation.objects.filter(Exists(same)),
        Q(stack__generator_id__in=registered_generators(agent_id)),
    )


def registered_generators(agent_id: UUID) -> QuerySet[Registration, UUID]:
    """The ids of the generators with which the agent is registered."""
    return Registration.objects.filter(agent_id=agent_id).values_list("generator_id", flat=True)


def registered_agents(generator_id: UUID) -> QuerySet[Registration, UUID]:
    """The ids of the agents that are registered with the generator."""
    return Registration.objects.filter(generator_id=generator_id).values_list("agent_id", flat=True)


def served_stacks(agent_id: UUID) -> QuerySet[Stack]:
    """The live stacks that the agent serves; none for an unknown or deleted agent."""
    return _stacks(agent_id, registration_counts=settings.REQUIRE_REGISTRATION)


def tied_stacks(agent_id: UUID) -> QuerySet[Stack]:
    """The stacks that the agent serves, or would serve if it had a registration that is missing."""
    return _stacks(agent_id, registration_counts=False)


def _stacks(agent_id: UUID, *, registration_counts: bool) -> QuerySet[Stack]:
    owners = ties_of_agent(agent_id).owners(registration_counts=registration_counts)
    return Stack.objects.active().filter(Exists(Agent.objects.active().filter(pk=agent_id)), pk__in=owners)


@dataclass(frozen=True, slots=True)
class Offer:
    """A stack with labels and annotations: those that it has, or those that somebody thinks of giving it."""

    stack: Stack
    labels: frozenset[str]
    annotations: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, stack: Stack) -> "Offer":
        return cls(
            stack,
            frozenset(StackLabel.objects.filter(stack=stack).values_list("label", flat=True)),
            frozenset(StackAnnotation.objects.filter(stack=stack).values_list("key", "value")),
        )

    def ties(self) -> Ties:
        """The ties to agents, live or deleted."""
        labels = labels_of_agents().filter(label__in=self.labels)
        return _ties_of_stack(self.stack, labels, annotations_among(self.annotations))


def _ties_of_stack(
    stack: Stack, labels: QuerySet[AgentLabel], annotations: QuerySet[AgentAnnotation]
) -> Ties:
    return Ties(
        "agent_id",
        AgentTarget.objects.filter(stack=stack),
        labels,
        annotations,
        Q(agent_id__in=registered_agents(stack.generator_id)),
    )


def serving_agents(stack: Stack) -> QuerySet[Agent]:
    """The live agents that serve the stack."""
    labels = AgentLabel.objects.filter(label__in=StackLabel.objects.filter(stack=stack).values("label"))
    same = StackAnnotation.objects.filter(stack=stack, key=OuterRef("key"), value=OuterRef("value"))
    ties = _ties_of_stack(stack, labels, AgentAnnotation.objects.filter(Exists(same)))
    return _agents(ties, registration_counts=settings.REQUIRE_REGISTRATION)


def agents_serving_any(stacks: QuerySet[Stack], *, generator_id: UUID) -> QuerySet[Agent]:
    """The live agents that serve any of these stacks, which are all of the generator."""
    of_stacks = {"stack__in": stacks.values("pk")}
    same = StackAnnotation.objects.filter(key=OuterRef("key"), value=OuterRef("value"), **of_stacks)
    ties = Ties(
        "agent_id",
        AgentTarget.objects.filter(**of_stacks),
        labels_of_agents().filter(label__in=StackLabel.objects.filter(**of_stacks).values("label")),
        AgentAnnotation.objects.filter(Exists(same)),
        Q(agent_id__in=registered_agents(generator_id)),
    )
    return _agents(ties, registration_counts=settings.REQUIRE_REGISTRATION)


def agents_for(offer: Offer) -> QuerySet[Agent]:
    """The live agents that serve a stack with this offer."""
    return _agents(offer.ties(), registration_counts=settings.REQUIRE_REGISTRATION)


def tied_agents(offer: Offer) -> QuerySet[Agent]:
    """The agents that serve a stack with this offer, or would serve it with a registration that is missing."""
    return _agents(offer.ties(), registration_counts=False)


def _agents(ties: Ties, *, registration_counts: bool) -> QuerySet[Agent]:
    return Agent.objects.active().filter(pk__in=ties.owners(registration_counts=registration_counts))
