"""The vocabulary of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from webhooks.models import Delivery, Subscription


class SubscriptionQuerySet(ActiveQuerySet["Subscription"]):
    def enabled(self) -> Self:
        """Subscriptions that hear of events and are sent what waits for them."""
        return self.active().filter(enabled=True)

    def shown(self) -> Self:
        """With what the API shows of each, in a fixed number of queries."""
        return self.select_related("audience").prefetch_related("patterns")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible(self) -> Self:
        """Those whose subscription is not deleted; the others are about to be removed."""
        return self.filter(subscription__deleted_at__isnull=True)

    def due(self, now: datetime) -> Self:
        """Those that may be taken now, expired leases among them."""
        return self.filter(due_at__lte=now)

    def by_broker(self) -> Self:
        return self.filter(audience__isnull=True)

    def over(self) -> Self:
        return self.filter(status__in=["success", "dead"])
