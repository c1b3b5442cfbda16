"""Why an agent serves a stack, in the words that tie them, for people who ask.

The rule itself is targeting.py's; a test holds the two together. Here it is answered for a page of rows at a time, also
for those of `tied_stacks` and `tied_agents` that only a missing registration holds back.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from agents.models import Agent, AgentAnnotation, AgentLabel, AgentTarget, Registration
from agents.targeting import Offer
from stacks.models import Stack, StackAnnotation, StackLabel


class Tie(StrEnum):
    TARGET = "target"
    LABEL = "label"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Reason:
    """One tie between an agent and a stack. `word` is the label, or `key=value`; empty for an explicit target."""

    tie: Tie
    word: str = ""
    # Registration is required, the agent is not registered with the stack's generator, and so the tie does not count.
    is_held_back: bool = False


Reasons = dict[UUID, list[Reason]]


def reasons_for_stacks(agent_id: UUID, stacks: Iterable[Stack]) -> Reasons:
    """By stack, why the agent serves it. A fixed number of queries for any number of stacks."""
    owners = {stack.pk: stack.generator_id for stack in stacks}
    registered = _registered_generators(agent_id)
    held_back = {
        pk for pk, generator_id in owners.items() if registered is not None and generator_id not in registered
    }
    mine = AgentLabel.objects.filter(agent_id=agent_id).values("label")
    pair = AgentAnnotation.objects.filter(agent_id=agent_id, key=OuterRef("key"), value=OuterRef("value"))
    return _collect(
        "stack_id",
        AgentTarget.objects.filter(agent_id=agent_id, stack__in=owners),
        StackLabel.objects.filter(stack__in=owners, label__in=mine),
        StackAnnotation.objects.filter(Exists(pair), stack__in=owners),
        held_back,
    )


def reasons_for_agents(offer: Offer, agents: Iterable[Agent]) -> Reasons:
    """By agent, why it serves such a stack. A fixed number of queries for any number of agents."""
    stack, ids = offer.stack, {agent.pk for agent in agents}
    held_back: set[UUID] = set()
    if settings.REQUIRE_REGISTRATION:
        registered = Registration.objects.filter(generator_id=stack.generator_id, agent__in=ids)
        held_back = ids - set(registered.values_list("agent_id", flat=True))
    return _collect(
        "agent_id",
        AgentTarget.objects.filter(stack=stack, agent__in=ids),
        offer.shared_labels().filter(agent__in=ids),
        offer.shared_annotations().filter(agent__in=ids),
        held_back,
    )


def _registered_generators(agent_id: UUID) -> set[UUID] | None:
    """None where registration is not required."""
    if not settings.REQUIRE_REGISTRATION:
        return None
    return set(Registration.objects.filter(agent_id=agent_id).values_list("generator_id", flat=True))


def _collect(
    column: str,
    targets: QuerySet[Any],
    labels: QuerySet[Any],
    annotations: QuerySet[Any],
    held_back: set[UUID],
) -> Reasons:
    reasons: Reasons = defaultdict(list)
    for owner in targets.values_list(column, flat=True):
        # Checked when it was written, so it counts in any case.
        reasons[owner].append(Reason(Tie.TARGET))
    for owner, label in labels.order_by("label").values_list(column, "label"):
        reasons[owner].append(Reason(Tie.LABEL, label, owner in held_back))
    for owner, key, value in annotations.order_by("key").values_list(column, "key", "value"):
        reasons[owner].append(Reason(Tie.ANNOTATION, f"{key}={value}", owner in held_back))
    return reasons
