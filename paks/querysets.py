"""Named filters over keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from paks.models import Pak


class PakQuerySet(models.QuerySet["Pak"]):
    def usable(self) -> Self:
        """Keys that have not been revoked."""
        return self.filter(revoked_at__isnull=True)

    def of_subject(self, role: str, subject_id: UUID | None) -> Self:
        """All keys of one owner."""
        return self.filter(role=role, subject_id=subject_id)
