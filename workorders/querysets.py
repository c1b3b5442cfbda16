"""The named queries of work orders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from workorders.models import WorkOrder


class WorkOrderQuerySet(models.QuerySet["WorkOrder"]):
    def pending(self) -> Self:
        """Orders that an agent may claim now."""
        return self.filter(status="PENDING")

    def claimed(self) -> Self:
        return self.filter(status="CLAIMED")

    def stale(self, now: datetime) -> Self:
        """Claimed orders whose lease has run out."""
        return self.claimed().filter(claim_expires_at__lte=now)

    def retry_due(self, now: datetime) -> Self:
        """Failed orders whose back-off is over."""
        return self.filter(status="RETRY_PENDING", next_retry_after__lte=now)
