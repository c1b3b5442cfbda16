"""Named filters over what is in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from agents.wanted.versions import current_sql

if TYPE_CHECKING:
    from inventory.models import Entry
    from stacks.models import Stack


class EntryQuerySet(QuerySet["Entry"]):
    def of_resources(self) -> Self:
        """One row for each resource of a version, whatever images it names."""
        return self.filter(image__isnull=True)

    def of_images(self) -> Self:
        """One row for each image that a resource of a version names."""
        return self.filter(image__isnull=False)

    def current(self) -> Self:
        """Only versions that agents which serve the stack should have."""
        return self.filter(version__in=RawSQL(current_sql(), ()))  # noqa: S611  no input in it

    def in_stacks(self, stacks: QuerySet[Stack]) -> Self:
        """What is in these stacks."""
        return self.filter(stack__in=stacks.values("pk"))
