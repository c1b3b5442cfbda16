"""What a reader may know of the conflicts of a stack.

A generator learns of a stack that it may not list only that it is another stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from inventory.conflicts import Conflict
from paks.principals import Principal
from stacks.access import seen_among

# Of objects of these kinds, a generator is told whether that of a stack which it may not list is equal to its own. Of
# others, that would let it find out their values by guessing.
_COMPARED_ACROSS_TENANTS: Final = frozenset({"Namespace"})


class OtherStack(NamedTuple):
    name: str
    stack_id: UUID


@dataclass(frozen=True, slots=True)
class ToldConflict:
    """A conflict as one reader sees it, from the side of one stack.

    `others` are the other stacks that the reader may see, by name; `hidden` is how many more there are. `is_note`: all
    write the object alike, so that nothing is wrong.
    """

    conflict: Conflict
    others: Sequence[OtherStack]
    hidden: int
    is_note: bool

    @property
    def others_in_words(self) -> str:
        names = [f"the stack {stack.name}" for stack in self.others]
        if self.hidden:
            names.append("another stack" if self.hidden == 1 else f"{self.hidden} other stacks")
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def told_conflicts(
    conflicts: Sequence[Conflict], stack_id: UUID, *, reader: Principal | None
) -> list[ToldConflict]:
    """What the reader, or an operator if it is None, may know of these conflicts of the stack; notes last. One query
    for a generator.
    """
    seen = seen_among({member.stack_id for conflict in conflicts for member in conflict.members}, reader)
    told = [_told(conflict, stack_id, seen) for conflict in conflicts]
    return sorted(told, key=lambda each: each.is_note)


def _told(conflict: Conflict, stack_id: UUID, visible: set[UUID]) -> ToldConflict:
    others = [member for member in conflict.members if member.stack_id != stack_id]
    seen = {OtherStack(member.stack_name, member.stack_id) for member in others if member.stack_id in visible}
    hidden = len({member.stack_id for member in others}) - len(seen)
    may_compare = not hidden or conflict.kind in _COMPARED_ACROSS_TENANTS
    return ToldConflict(conflict, sorted(seen), hidden, is_note=conflict.is_identical and may_compare)
