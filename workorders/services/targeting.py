"""Who may claim an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents.models import Agent
from core.errors import ForeignKeyViolation
from core.validators import is_label
from workorders.errors import InvalidWorkOrder, NoTargetingSpecified


@dataclass(frozen=True, slots=True)
class Targeting:
    """Who may claim an order: any of these agents, and agents with any of these labels or annotations."""

    agent_ids: Sequence[UUID] = ()
    labels: Sequence[str] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "agent_ids": [str(agent_id) for agent_id in self.agent_ids],
            "labels": list(self.labels),
            "annotations": dict(self.annotations),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Targeting":
        return cls([UUID(agent_id) for agent_id in value["agent_ids"]], value["labels"], value["annotations"])


def checked_targeting(targeting: Targeting) -> Targeting:
    """The targeting without repetitions. Every part of it is checked, so that an agent can meet it.

    Raises NoTargetingSpecified, InvalidWorkOrder, and ForeignKeyViolation for an agent that does not exist.
    """
    if not targeting.agent_ids and not targeting.labels and not targeting.annotations:
        raise NoTargetingSpecified
    words = [*targeting.labels, *targeting.annotations.keys(), *targeting.annotations.values()]
    if wrong := [word for word in words if not is_label(word)]:
        raise InvalidWorkOrder(
            "Labels, annotation keys and values must have 1 to 64 characters and no white space.", wrong=wrong
        )
    agent_ids = sorted(set(targeting.agent_ids))
    known = set(Agent.objects.active().filter(id__in=agent_ids).values_list("id", flat=True))
    if missing := [str(agent_id) for agent_id in agent_ids if agent_id not in known]:
        raise ForeignKeyViolation(
            "An agent named in the targeting does not exist.",
            constraint="work_order_targets_agent_id_fkey",
            agent_ids=missing,
        )
    return Targeting(agent_ids, sorted(set(targeting.labels)), dict(targeting.annotations))
