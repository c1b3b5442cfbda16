"""Why an agent serves a stack: the target, labels and annotations that tie them, to be shown to people.

The functions answer for a whole page of rows at once. They also answer for the rows of `tied_stacks` and
`tied_agents` that do not count only because a registration is missing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.conf import settings

from agents.models import Agent
from agents.wanted.ties import Offer, Ties, registered_agents, registered_generators, ties_of_agent
from stacks.models import Stack


class Tie(StrEnum):
    TARGET = "target"
    LABEL = "label"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Reason:
    """One tie between an agent and a stack. `word` is the label, or `key=value`; empty for an explicit target."""

    tie: Tie
    word: str = ""
    # Registration is required and the agent is not registered with the stack's generator, so the tie does not count.
    is_held_back: bool = False


Reasons = dict[UUID, list[Reason]]


def reasons_for_stacks(agent_id: UUID, stacks: Iterable[Stack]) -> Reasons:
    """By stack, why the agent serves it. A fixed number of queries for any number of stacks."""
    owners = {stack.pk: stack.generator_id for stack in stacks}
    held_back: set[UUID] = set()
    if settings.REQUIRE_REGISTRATION:
        registered = set(registered_generators(agent_id))
        held_back = {pk for pk, generator_id in owners.items() if generator_id not in registered}
    return _collect(ties_of_agent(agent_id).among(owners), held_back)


def reasons_for_agents(offer: Offer, agents: Iterable[Agent]) -> Reasons:
    """By agent, why it serves a stack with this offer. A fixed number of queries for any number of agents."""
    ids = {agent.pk for agent in agents}
    held_back: set[UUID] = set()
    if settings.REQUIRE_REGISTRATION:
        held_back = ids - set(registered_agents(offer.stack.generator_id).filter(agent__in=ids))
    return _collect(offer.ties().among(ids), held_back)


def _collect(ties: Ties, held_back: set[UUID]) -> Reasons:
    reasons: Reasons = defaultdict(list)
    for owner in ties.targets.values_list(ties.owner, flat=True):
        # The registration was checked when the target was written, so a target always counts.
        reasons[owner].append(Reason(Tie.TARGET))
    for owner, label in ties.labels.order_by("label").values_list(ties.owner, "label"):
        reasons[owner].append(Reason(Tie.LABEL, label, owner in held_back))
    for owner, key, value in ties.annotations.order_by("key").values_list(ties.owner, "key", "value"):
        reasons[owner].append(Reason(Tie.ANNOTATION, f"{key}={value}", owner in held_back))
    return reasons
