"""What runs where: the one home of the rule that associates agents with stacks.

An agent serves a stack when the stack is its explicit target, or shares a label with it, or shares an
annotation (key and value). Where registration is required, labels and annotations count only for stacks of
generators the agent is registered with; an explicit target was checked when it was written.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_
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
    return _stacks(agent_id, registration_counts=settings.REQUIRE_REGISTRATION)


def tied_stacks(agent_id: UUID) -> QuerySet[Stack]:
    """The stacks the agent serves, and those that only a missing registration holds back."""
    return _stacks(agent_id, registration_counts=False)


def _stacks(agent_id: UUID, *, registration_counts: bool) -> QuerySet[Stack]:
    # A union of index look-ups. Spelled as OR over joins or EXISTS, the planner reads every stack.
    targets = AgentTarget.objects.filter(agent_id=agent_id).values("stack_id")
    labelled = StackLabel.objects.filter(
        label__in=AgentLabel.objects.filter(agent_id=agent_id).values("label")
    ).values("stack_id")
    annotated = StackAnnotation.objects.filter(
        Exists(
            AgentAnnotation.objects.filter(agent_id=agent_id, key=OuterRef("key"), value=OuterRef("value"))
        )
    ).values("stack_id")
    if registration_counts:
        registered = Q(
            stack__generator_id__in=Registration.objects.filter(agent_id=agent_id).values("generator_id")
        )
        labelled, annotated = labelled.filter(registered), annotated.filter(registered)
    return Stack.objects.active().filter(
        Exists(Agent.objects.active().filter(pk=agent_id)), pk__in=targets.union(labelled, annotated)
    )


def serving_agents(stack: Stack) -> QuerySet[Agent]:
    """The live agents that serve the stack, by the same rule read from the other end."""
    labelled = AgentLabel.objects.filter(label__in=StackLabel.objects.filter(stack=stack).values("label"))
    annotated = AgentAnnotation.objects.filter(
        Exists(StackAnnotation.objects.filter(stack=stack, key=OuterRef("key"), value=OuterRef("value")))
    )
    return _agents(stack, labelled, annotated, registration_counts=settings.REQUIRE_REGISTRATION)


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

    def shared_labels(self) -> QuerySet[AgentLabel]:
        """The labels of agents that are the stack's too."""
        return AgentLabel.objects.filter(label__in=self.labels)

    def shared_annotations(self) -> QuerySet[AgentAnnotation]:
        pairs = [Q(key=key, value=value) for key, value in sorted(self.annotations)]
        return AgentAnnotation.objects.filter(reduce(or_, pairs)) if pairs else AgentAnnotation.objects.none()


def agents_for(offer: Offer) -> QuerySet[Agent]:
    """The live agents that serve such a stack."""
    return _agents_of(offer, registration_counts=settings.REQUIRE_REGISTRATION)


def tied_agents(offer: Offer) -> QuerySet[Agent]:
    """The agents that serve such a stack, and those that only a missing registration holds back."""
    return _agents_of(offer, registration_counts=False)


def _agents_of(offer: Offer, *, registration_counts: bool) -> QuerySet[Agent]:
    return _agents(
        offer.stack,
        offer.shared_labels(),
        offer.shared_annotations(),
        registration_counts=registration_counts,
    )


def _agents(
    stack: Stack,
    labelled: QuerySet[AgentLabel],
    annotated: QuerySet[AgentAnnotation],
    *,
    registration_counts: bool,
) -> QuerySet[Agent]:
    targets = AgentTarget.objects.filter(stack=stack).values("agent_id")
    by_label, by_annotation = labelled.values("agent_id"), annotated.values("agent_id")
    if registration_counts:
        registered = Q(
            agent_id__in=Registration.objects.filter(generator_id=stack.generator_id).values("agent_id")
        )
        by_label, by_annotation = by_label.filter(registered), by_annotation.filter(registered)
    return Agent.objects.active().filter(pk__in=targets.union(by_label, by_annotation))


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


_IS_SERVED = """(
EXISTS (SELECT 1 FROM agent_targets t WHERE t.agent_id = {agent} AND t.stack_id = {stack})
OR ({registered} (
    EXISTS (SELECT 1 FROM stack_labels sl JOIN agent_labels al ON al.label = sl.label AND al.agent_id = {agent}
            WHERE sl.stack_id = {stack})
    OR EXISTS (SELECT 1 FROM stack_annotations sa
               JOIN agent_annotations aa ON aa.key = sa.key AND aa.value = sa.value AND aa.agent_id = {agent}
               WHERE sa.stack_id = {stack})
)))"""
_IS_REGISTERED = """EXISTS (
    SELECT 1 FROM agent_generator_registrations g JOIN stacks gs ON gs.generator_id = g.generator_id
    WHERE g.agent_id = {agent} AND gs.id = {stack}) AND"""


def is_served_sql(agent: str, stack: str, *, registration: bool) -> str:
    """The same rule as a condition on one pair, given the names of its columns, where many pairs are in hand.

    Index look-ups only. Whether agent and stack live is not asked.
    """
    registered = _IS_REGISTERED.format(agent=agent, stack=stack) if registration else ""
    return _IS_SERVED.format(agent=agent, stack=stack, registered=registered)
