"""What a reader may know of the conflicts of a stack, also as warnings of a publish.

A generator learns of a stack that it may not list only that it is another stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from inventory.conflicts import Conflict, NamedStack, conflicts_of_version
from inventory.identifiers import object_key
from paks.principals import Principal
from stacks.access import seen_among
from stacks.manifests import Code, Finding, ManifestObject
from stacks.models import DeploymentObject

# Of objects of these kinds, a generator is told whether that of a stack which it may not list is equal to its own. Of
# others, that would let it find out their values by guessing.
_COMPARED_ACROSS_TENANTS: Final = frozenset({"Namespace"})
# Of how many conflicts a publish warns. The stack's page and `GET /stacks/{id}/conflicts` have all.
MAX_WARNINGS: Final = 20


@dataclass(frozen=True, slots=True)
class ToldConflict:
    """A conflict as one reader sees it, from the side of one stack.

    `others` are the other stacks that the reader may see, by name; `hidden` is how many more there are. `is_note`: all
    write the object alike, so that nothing is wrong.
    """

    conflict: Conflict
    others: Sequence[NamedStack]
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


def warn_of_conflicts(
    version: DeploymentObject, objects: Sequence[ManifestObject], *, reader: Principal | None
) -> list[Finding]:
    """A warning for each object of the version that an agent should have from another stack too, written otherwise.

    `reader` is who reads them, None somebody who may see all stacks.
    """
    known = {object_key(obj): obj for obj in objects}
    found = conflicts_of_version(version.stack, version.pk)
    findings = []
    for each in told_conflicts(found, version.stack_id, reader=reader):
        obj = known.get(each.conflict.object_key)
        if obj is not None and not each.is_note:
            count = len(each.conflict.agent_ids)
            problem = (
                f"the {obj.kind} {obj.name[:80]!r} is also in {each.others_in_words}, and {count:,} "
                f"{'agent' if count == 1 else 'agents'} should have both; they apply one over the other."
            )
            findings.append(Finding(Code.OBJECT_IN_ANOTHER_STACK, problem, obj.document, obj.line))
    return findings[:MAX_WARNINGS]


def _told(conflict: Conflict, stack_id: UUID, visible: set[UUID]) -> ToldConflict:
    others = [member for member in conflict.members if member.stack_id != stack_id]
    seen = {NamedStack(member.stack_name, member.stack_id) for member in others if member.stack_id in visible}
    hidden = len({member.stack_id for member in others}) - len(seen)
    may_compare = not hidden or conflict.kind in _COMPARED_ACROSS_TENANTS
    return ToldConflict(conflict, sorted(seen), hidden, is_note=conflict.is_identical and may_compare)
