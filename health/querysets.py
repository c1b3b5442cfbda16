"""Named filters over health statuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from health.models import DeploymentHealth


def fresh_since(now: datetime) -> datetime:
    """Statuses that the broker received before this time are stale and count as unknown."""
    return now - timedelta(seconds=settings.HEALTH_STALE_SECONDS)


class DeploymentHealthQuerySet(models.QuerySet["DeploymentHealth"]):
    def fresh(self, now: datetime) -> Self:
        """Statuses that are not stale."""
        return self.filter(updated_at__gte=fresh_since(now))

    def stale(self, now: datetime) -> Self:
        """Statuses that are stale."""
        return self.filter(updated_at__lt=fresh_since(now))

    def of_live_objects(self) -> Self:
        return self.filter(deployment_object__deleted_at__isnull=True)

    def in_trouble(self) -> Self:
        return self.filter(status__in=["degraded", "failing"])
