"""Where two states differ: of two agents, or of one agent at two moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from history.entries import Version
from history.states import state_of_agent
from history.versions import Versions
from stacks.models import DeploymentObject, Stack


@dataclass(frozen=True, slots=True)
class Side:
    """An agent at a moment."""

    agent_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """A stack of which the two sides should have had different versions; None: nothing of it.

    `same_content` tells that the texts of the two versions are equal.
    """

    stack_id: UUID
    stack_name: str
    left: Version | None
    right: Version | None
    same_content: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Side
    right: Side
    differences: Sequence[Difference]
    equal_stacks: int


def compare(left: Side, right: Side) -> Comparison:
    """Compare the two target states. The moments are known (`agents.wanted.past.require_known`)."""
    versions = Versions()
    mine = state_of_agent(left.agent_id, left.at, versions)
    other = state_of_agent(right.agent_id, right.at, versions)
    different = [one for one in mine.keys() | other.keys() if mine.get(one) != other.get(one)]
    names = dict(Stack.objects.filter(pk__in=different).values_list("pk", "name"))
    shown = [side[one].sequence_id for one in different for side in (mine, other) if one in side]
    texts = dict(DeploymentObject.objects.filter(pk__in=shown).values_list("pk", "yaml_checksum"))

    def difference(stack_id: UUID) -> Difference:
        pair = mine.get(stack_id), other.get(stack_id)
        checksums = {texts[version.sequence_id] if version else None for version in pair}
        kinds = {version.is_deletion_marker if version else None for version in pair}
        return Difference(stack_id, names[stack_id], *pair, same_content=len(checksums) == len(kinds) == 1)

    differences = sorted(map(difference, different), key=lambda one: (one.stack_name, one.stack_id))
    equal = len(mine.keys() | other.keys()) - len(different)
    return Comparison(left, right, differences, equal)
