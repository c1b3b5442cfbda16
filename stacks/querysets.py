"""Named filters over stacks and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from core.labels.querysets import LabelledQuerySet
from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from stacks.models import DeploymentObject, Stack


class StackQuerySet(LabelledQuerySet["Stack"]):
    def owned_by(self, generator_id: UUID | None) -> Self:
        return self.filter(generator_id=generator_id)


class DeploymentObjectQuerySet(ActiveQuerySet["DeploymentObject"]):
    def versions(self) -> Self:
        """What was published and lives: without the markers that are for one agent alone."""
        return self.active().filter(recipient_id__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-sequence_id")
