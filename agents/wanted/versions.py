"""Which version of a stack is wanted of the agents that serve it: its newest live one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery

from stacks.models import DeploymentObject, Stack

# As a scalar subquery it is one index look-up for each stack, where a join would let the planner hash all stacks or
# group all objects.
_NEWEST = """(
    SELECT {columns} FROM deployment_objects o WHERE o.stack_id = {stack} AND o.deleted_at IS NULL{living}
    ORDER BY o.sequence_id DESC LIMIT 1)"""
_LIVING = "\n    AND EXISTS (SELECT 1 FROM stacks os WHERE os.id = {stack} AND os.deleted_at IS NULL)"


@dataclass(frozen=True, slots=True)
class Version:
    """The wanted version of a stack."""

    sequence_id: int
    published_at: datetime


def newest_sql(stack: str, *, columns: str = "o.sequence_id", check_stack: bool = False) -> str:
    """A scalar subquery: the wanted version of the stack in the column `stack`, or NULL.

    `columns` is what it gives of the version `o`. With `check_stack` a deleted stack has none; without it, the
    statement around has to leave out deleted stacks.
    """
    living = _LIVING.format(stack=stack) if check_stack else ""
    return _NEWEST.format(stack=stack, columns=columns, living=living)


def newest_of(stack: OuterRef) -> Subquery:
    """The same in a queryset: the sequence id of the wanted version, or NULL."""
    newest = DeploymentObject.objects.active().filter(stack=stack).newest_first()
    return Subquery(newest.values("sequence_id")[:1])


def newest_object(stack: Stack) -> DeploymentObject | None:
    """The wanted version of one stack, without its YAML; of a deleted stack that is its marker."""
    return DeploymentObject.objects.active().filter(stack=stack).newest_first().defer("yaml_content").first()


def newest_versions(stack_ids: Iterable[UUID]) -> dict[UUID, Version]:
    """By stack; stacks with nothing published are missing. One query, by the index of newest objects."""
    newest = Stack.objects.filter(pk__in=list(stack_ids)).values(newest=newest_of(OuterRef("pk")))
    rows = DeploymentObject.objects.filter(pk__in=newest).values_list("stack_id", "pk", "created_at")
    return {stack_id: Version(sequence_id, at) for stack_id, sequence_id, at in rows}
