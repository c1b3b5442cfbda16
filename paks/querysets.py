"""Named filters over keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models.expressions import RawSQL

from paks.key_check import USABLE

if TYPE_CHECKING:
    from paks.models import Pak


# No input is part of it; the statements that carry a key hold the same words.
_USABLE = RawSQL(USABLE, (), models.BooleanField())  # noqa: S611


class PakQuerySet(models.QuerySet["Pak"]):
    def usable(self) -> Self:
        """Keys that still work."""
        return self.filter(_USABLE)

    def with_usable(self) -> Self:
        """Keys with `is_usable`, whether they still work."""
        return self.annotate(is_usable=_USABLE)

    def administering(self) -> Self:
        """Admin keys that may change things; those that only read cannot set anything up."""
        return self.filter(role="admin", is_read_only=False)

    def of_subject(self, role: str, subject_id: UUID | None) -> Self:
        """All keys of one owner."""
        return self.filter(role=role, subject_id=subject_id)
