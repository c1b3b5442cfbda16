"""Named filters over templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import Case, IntegerField, Value, When

from core.labels.querysets import LabelledQuerySet

if TYPE_CHECKING:
    from templates_app.models import StackTemplate


class TemplateQuerySet(LabelledQuerySet["StackTemplate"]):
    def versions_of(self, name: str, generator_id: UUID | None) -> Self:
        """All versions of one name in one owner's namespace; None is the system's."""
        return self.filter(name=name, generator_id=generator_id)

    def systems_first(self) -> Self:
        """Adds `group` to order by: 0 for the system's templates, 1 for generators'."""
        return self.annotate(
            group=Case(
                When(generator__isnull=True, then=Value(0)), default=Value(1), output_field=IntegerField()
            )
        )
