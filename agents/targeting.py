"""What runs where: the one home of the rule that associates agents with stacks.

An agent serves a stack when the stack is its explicit target, or shares a label with it, or shares an
annotation (key and value). Where registration is required, labels and annotations count only for stacks of
generators the agent is registered with; an explicit target was checked when it was written.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.models import (
    Agent,
    AgentAnnotation,
    AgentEvent,
    AgentLabel,
    AgentTarget,
    MarkerDelivery,
    Registration,
)
from paks.principals import Principal
from stacks.models import DeploymentObject, Stack, StackAnnotation, StackLabel


def served_stacks(agent_id: UUID) -> QuerySet[Stack]:
    """The live stacks the agent serves; none for an unknown or deleted agent."""
    # A union of index look-ups. Spelled as OR over joins or EXISTS, the planner reads every stack.
    return Stack.objects.active().filter(
        Exists(Agent.objects.active().filter(pk=agent_id)), pk__in=_served_stack_ids(agent_id)
    )


def _served_stack_ids(agent_id: UUID) -> QuerySet[Any, Any]:
    targets = AgentTarget.objects.filter(agent_id=agent_id).values("stack_id")
    labelled = StackLabel.objects.filter(
        label__in=AgentLabel.objects.filter(agent_id=agent_id).values("label")
    ).values("stack_id")
    annotated = StackAnnotation.objects.filter(
        Exists(
            AgentAnnotation.objects.filter(agent_id=agent_id, key=OuterRef("key"), value=OuterRef("value"))
        )
    ).values("stack_id")
    if settings.REQUIRE_REGISTRATION:
        registered = Q(
            stack__generator_id__in=Registration.objects.filter(agent_id=agent_id).values("generator_id")
        )
        labelled, annotated = labelled.filter(registered), annotated.filter(registered)
    return targets.union(labelled, annotated)


def serving_agents(stack: Stack) -> QuerySet[Agent]:
    """The live agents that serve the stack, by the same rule read from the other end."""
    labelled = AgentLabel.objects.filter(label__in=StackLabel.objects.filter(stack=stack).values("label"))
    annotated = AgentAnnotation.objects.filter(
        Exists(StackAnnotation.objects.filter(stack=stack, key=OuterRef("key"), value=OuterRef("value")))
    )
    return _agents_serving(stack, labelled, annotated)


@dataclass(frozen=True, slots=True)
class Offer:
    """A stack with the labels and annotations that it has, or that somebody thinks of giving it."""

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

    def labelled_agents(self) -> QuerySet[AgentLabel]:
        return AgentLabel.objects.filter(label__in=self.labels)

    def annotated_agents(self) -> QuerySet[AgentAnnotation]:
        pairs = [Q(key=key, value=value) for key, value in sorted(self.annotations)]
        return AgentAnnotation.objects.filter(reduce(or_, pairs)) if pairs else AgentAnnotation.objects.none()


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties an agent to a stack. Labels and annotations of one that is held back do not count."""

    is_target: bool
    labels: Sequence[str]
    annotations: Sequence[tuple[str, str]]
    is_held_back: bool


def agents_for(offer: Offer) -> QuerySet[Agent]:
    """The live agents that serve such a stack."""
    return _agents_serving(offer.stack, offer.labelled_agents(), offer.annotated_agents())


def agents_held_back(offer: Offer) -> QuerySet[Agent]:
    """The live agents that would serve such a stack were they registered with its generator."""
    if not settings.REQUIRE_REGISTRATION:
        return Agent.objects.none()
    tied = offer.labelled_agents().values("agent_id").union(offer.annotated_agents().values("agent_id"))
    targets = AgentTarget.objects.filter(stack=offer.stack).values("agent_id")
    return (
        Agent.objects.active()
        .filter(pk__in=tied)
        .exclude(Q(pk__in=targets) | Q(pk__in=_registered_agents(offer.stack)))
    )


def ties(offer: Offer, agent_ids: Collection[UUID]) -> dict[UUID, Ties]:
    """Why each of these agents serves such a stack, or does not; four queries for any number of them."""
    targets = set(
        AgentTarget.objects.filter(stack=offer.stack, agent_id__in=agent_ids).values_list(
            "agent_id", flat=True
        )
    )
    labels: dict[UUID, list[str]] = defaultdict(list)
    shared_labels = offer.labelled_agents().filter(agent_id__in=agent_ids).order_by("label")
    for agent_id, label in shared_labels.values_list("agent_id", "label"):
        labels[agent_id].append(label)
    annotations: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    shared_annotations = offer.annotated_agents().filter(agent_id__in=agent_ids).order_by("key")
    for agent_id, key, value in shared_annotations.values_list("agent_id", "key", "value"):
        annotations[agent_id].append((key, value))
    unregistered: set[UUID] = set()
    if settings.REQUIRE_REGISTRATION:
        registered = _registered_agents(offer.stack).filter(agent_id__in=agent_ids)
        unregistered = set(agent_ids) - {row["agent_id"] for row in registered}
    return {
        agent_id: Ties(
            is_target=agent_id in targets,
            labels=labels[agent_id],
            annotations=annotations[agent_id],
            is_held_back=agent_id in unregistered
            and agent_id not in targets
            and bool(labels[agent_id] or annotations[agent_id]),
        )
        for agent_id in agent_ids
    }


def _agents_serving(
    stack: Stack, labelled: QuerySet[AgentLabel], annotated: QuerySet[AgentAnnotation]
) -> QuerySet[Agent]:
    targets = AgentTarget.objects.filter(stack=stack).values("agent_id")
    by_label, by_annotation = labelled.values("agent_id"), annotated.values("agent_id")
    if settings.REQUIRE_REGISTRATION:
        registered = Q(agent_id__in=_registered_agents(stack))
        by_label, by_annotation = by_label.filter(registered), by_annotation.filter(registered)
    return Agent.objects.active().filter(pk__in=targets.union(by_label, by_annotation))


def _registered_agents(stack: Stack) -> QuerySet[Any, Any]:
    return Registration.objects.filter(generator_id=stack.generator_id).values("agent_id")


def target_state(agent_id: UUID, *, mode: str) -> QuerySet[DeploymentObject]:
    """What the agent should have deployed, newest first: of each served stack the newest object, and the
    markers of deleted stacks it has not acknowledged.

    `mode` is "full", or "incremental" to leave out objects the agent has reported on, with whatever outcome.
    One statement, so one snapshot. An unknown or deleted agent has none.
    """
    newest = (
        served_stacks(agent_id)
        .annotate(newest=DeploymentObject.objects.newest_of(OuterRef("pk")))
        .filter(newest__isnull=False)
        .values_list("newest")
    )
    markers = MarkerDelivery.objects.filter(agent_id=agent_id).values_list("marker_id")
    state = DeploymentObject.objects.filter(
        Exists(Agent.objects.active().filter(pk=agent_id)), pk__in=newest.union(markers)
    ).newest_first()
    if mode == "incremental":
        reported = AgentEvent.objects.active().filter(agent_id=agent_id, deployment_object_id=OuterRef("id"))
        # A marker stays until it is acknowledged with SUCCESS; any other report leaves it to be offered again.
        awaited = MarkerDelivery.objects.filter(agent_id=agent_id, marker_id=OuterRef("pk"))
        state = state.filter(~Exists(reported) | Exists(awaited))
    return state


def agent_may_read(principal: Principal, stack: Stack) -> bool:
    """Whether the calling agent serves the stack, or must still remove what the deleted stack left behind."""
    if principal.agent_id is None:
        return False
    if stack.deleted_at is not None:
        return MarkerDelivery.objects.filter(agent_id=principal.agent_id, marker__stack=stack).exists()
    return served_stacks(principal.agent_id).filter(pk=stack.pk).exists()
