"""The vocabulary of rollouts and freezes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models

from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from rollouts.models import Freeze, Rollout, RolloutStrategy


class RolloutStrategyQuerySet(ActiveQuerySet["RolloutStrategy"]):
    """Strategies by name."""

    def called(self, name: str) -> Self:
        return self.filter(name=name)


class RolloutQuerySet(models.QuerySet["Rollout"]):
    def unstarted(self) -> Self:
        """Published, and waiting for its turn or for the end of a freeze."""
        return self.filter(state__in=["queued", "frozen"])

    def moving(self) -> Self:
        """Those that the worker looks at."""
        return self.filter(state__in=["waiting_for_approval", "progressing"])

    def running(self) -> Self:
        """Started and not ended; a stack has one at most."""
        return self.filter(state__in=["waiting_for_approval", "progressing", "paused"])

    def unfinished(self) -> Self:
        return self.filter(state__in=["queued", "frozen", "waiting_for_approval", "progressing", "paused"])

    def due(self, now: datetime) -> Self:
        """Those that the worker has to look at now."""
        return self.moving().filter(next_look_at__lte=now)

    def of_stack(self, stack_id: UUID) -> Self:
        return self.filter(stack=stack_id)

    def owned_by(self, generator_id: UUID | None) -> Self:
        return self.filter(stack__generator_id=generator_id)

    def with_version(self) -> Self:
        """With the version in the same query, but without its YAML, which may be long."""
        return self.select_related("version").defer("version__yaml_content")


class FreezeQuerySet(models.QuerySet["Freeze"]):
    def holding(self) -> Self:
        """Those that nobody has lifted."""
        return self.filter(lifted_at__isnull=True)

    def run_out(self, now: datetime) -> Self:
        """Those that hold although their time is over."""
        return self.holding().filter(until__lte=now)
