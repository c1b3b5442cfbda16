"""The named queries of rollouts and freezes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from rollouts.models import Freeze, Rollout, RolloutStrategy


# A running rollout that has taken the place of more than so many, none of which succeeded, starves its last waves.
OFTEN_SUPERSEDED = 3


class RolloutStrategyQuerySet(ActiveQuerySet["RolloutStrategy"]):
    """Strategies by name."""

    def called(self, name: str) -> Self:
        return self.filter(name=name)


class RolloutQuerySet(models.QuerySet["Rollout"]):
    def moving(self) -> Self:
        """Rollouts that the worker looks at."""
        return self.filter(state__in=["waiting_for_approval", "progressing"])

    def running(self) -> Self:
        """Rollouts that have started and not ended. A stack has at most one."""
        return self.filter(state__in=["waiting_for_approval", "progressing", "paused"])

    def unfinished(self) -> Self:
        return self.filter(state__in=["queued", "frozen", "waiting_for_approval", "progressing", "paused"])

    def due(self, now: datetime) -> Self:
        """Rollouts that the worker has to look at now."""
        return self.moving().filter(next_look_at__lte=now)

    def with_superseded(self) -> Self:
        """Each with `superseded_count`: how many rollouts it and its predecessors have superseded, one by the next."""
        superseded = self.model._default_manager.filter(
            stack=OuterRef("stack"), chain_id=OuterRef("chain_id"), state="superseded"
        )
        counts = (
            superseded.order_by().values("chain_id").annotate(superseded=Count("pk")).values("superseded")
        )
        return self.annotate(superseded_count=Coalesce(Subquery(counts), 0))

    def starving(self) -> Self:
        """Running rollouts of stacks whose versions come faster than their waves are proven."""
        return self.running().with_superseded().filter(superseded_count__gt=OFTEN_SUPERSEDED)

    def of_stack(self, stack_id: UUID) -> Self:
        return self.filter(stack=stack_id)

    def owned_by(self, generator_id: UUID | None) -> Self:
        return self.filter(stack__generator_id=generator_id)

    def with_version(self) -> Self:
        """Read the version in the same query, but without its YAML, which may be long."""
        return self.select_related("version").defer("version__yaml_content")

    def with_versions(self) -> Self:
        """The same, and with the previous version."""
        return self.with_version().select_related("previous").defer("previous__yaml_content")


class FreezeQuerySet(models.QuerySet["Freeze"]):
    def holding(self) -> Self:
        """Freezes that nobody has lifted."""
        return self.filter(lifted_at__isnull=True)

    def run_out(self, now: datetime) -> Self:
        """Freezes that still hold although their time is over."""
        return self.holding().filter(until__lte=now)
