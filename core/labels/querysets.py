"""Filters over labels and annotations, once for every labelled resource."""

from typing import Self, TypeVar

from django.db import models

from core.querysets import ActiveQuerySet

_Row = TypeVar("_Row", bound=models.Model)


class LabelledQuerySet(ActiveQuerySet[_Row]):
    def with_label(self, label: str) -> Self:
        """Rows that carry exactly this label."""
        return self.filter(labels__label=label)
