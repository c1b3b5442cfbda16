"""What a reader may know of the conflicts of a stack.

A generator learns of a stack of another tenant only that it is another stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from inventory.conflicts import Conflict
from stacks.models import Stack

# Of objects of these kinds, a generator is told whether another tenant's is equal to its own. Of others, that would let
# it find out their values by guessing.
_COMPARED_ACROSS_TENANTS: Final = frozenset({"Namespace"})


@dataclass(frozen=True, slots=True)
class ToldConflict:
    """A conflict as one reader sees it, from the side of one stack.

    `others` are the other stacks that the reader may see, by name; `hidden` is how many more there are. `is_note`: all
    write the object alike, so that nothing is wrong.
    """

    conflict: Conflict
    others: Sequence[Stack]
    hidden: int
    is_note: bool

    @property
    def others_in_words(self) -> str:
        names = [f"the stack {stack.name}" for stack in self.others]
        if self.hidden:
            names.append("another stack" if self.hidden == 1 else f"{self.hidden} other stacks")
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def told_conflicts(
    conflicts: Sequence[Conflict], stack_id: UUID, *, generator_id: UUID | None
) -> list[ToldConflict]:
    """What the generator, or an operator if it is None, may know of these conflicts of the stack; notes last.

    One query if there are any.
    """
    if not conflicts:
        return []
    stacks = Stack.objects.in_bulk({each for conflict in conflicts for each in conflict.stack_ids})
    told = [_told(conflict, stack_id, stacks, generator_id) for conflict in conflicts]
    return sorted(told, key=lambda each: each.is_note)


def _told(
    conflict: Conflict, stack_id: UUID, stacks: dict[UUID, Stack], generator_id: UUID | None
) -> ToldConflict:
    others = [stacks[each] for each in conflict.stack_ids if each != stack_id]
    seen = [stack for stack in others if generator_id is None or stack.generator_id == generator_id]
    hidden = len(others) - len(seen)
    may_compare = not hidden or conflict.kind in _COMPARED_ACROSS_TENANTS
    return ToldConflict(
        conflict,
        sorted(seen, key=lambda stack: stack.name),
        hidden,
        is_note=conflict.is_identical and may_compare,
    )
