"""Named filters that all soft-deleted tables share."""

from typing import Self, TypeVar

from django.db import models

_Row = TypeVar("_Row", bound=models.Model)


class ActiveQuerySet(models.QuerySet[_Row]):
    """Rows that may be marked as deleted. `objects` includes them, so code that lists or finds says `.active()`."""

    def active(self) -> Self:
        return self.filter(deleted_at__isnull=True)

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)

    def named_like(self, text: str) -> Self:
        """Rows whose name contains `text`, in any case."""
        return self.filter(name__icontains=text)
