"""Named filters over templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When

from core.labels.querysets import LabelledQuerySet

if TYPE_CHECKING:
    from templates_app.models import StackTemplate


class TemplateQuerySet(LabelledQuerySet["StackTemplate"]):
    def versions_of(self, name: str, generator_id: UUID | None) -> Self:
        """All versions of one name in one owner's namespace; None is the system's."""
        return self.filter(name=name, generator_id=generator_id)

    def with_newer(self) -> Self:
        """Adds `has_newer`: whether a live version of the same name and owner is newer."""
        newer = self.model._default_manager.filter(
            deleted_at__isnull=True, name=OuterRef("name"), version__gt=OuterRef("version")
        )
        # A condition of its own, because system templates have no owner and NULL equals nothing in SQL.
        of_generator = Exists(newer.filter(generator=OuterRef("generator")))
        of_system = Q(generator__isnull=True) & Exists(newer.filter(generator__isnull=True))
        return self.annotate(has_newer=of_generator | of_system)

    def systems_first(self) -> Self:
        """Adds `group` to order by: 0 for the system's templates, 1 for generators'."""
        return self.annotate(
            group=Case(
                When(generator__isnull=True, then=Value(0)), default=Value(1), output_field=IntegerField()
            )
        )
