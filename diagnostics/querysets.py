"""The named queries of diagnostics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from diagnostics.models import DiagnosticRequest


class DiagnosticQuerySet(models.QuerySet["DiagnosticRequest"]):
    def claimable(self, now: datetime) -> Self:
        """Requests that their agent may claim."""
        return self.filter(status="pending", expires_at__gt=now)

    def open(self) -> Self:
        return self.filter(status__in=["pending", "claimed"])

    def overdue(self, now: datetime) -> Self:
        """Open requests that have expired."""
        return self.open().filter(expires_at__lte=now)

    def closed_for(self, age: timedelta, now: datetime) -> Self:
        """Closed requests that ended and expired at least this long ago."""
        closed = self.exclude(status__in=["pending", "claimed"])
        return (
            closed.filter(expires_at__lte=now)
            .alias(ended_at=Coalesce("completed_at", "expires_at"))
            .filter(ended_at__lte=now - age)
        )
