"""The named queries of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from webhooks.models import Delivery, Subscription


class SubscriptionQuerySet(ActiveQuerySet["Subscription"]):
    def enabled(self) -> Self:
        """Subscriptions that get new notices, and to which waiting deliveries are sent."""
        return self.active().filter(enabled=True)

    def shown(self) -> Self:
        """Read also what the API shows of each subscription, in a fixed number of queries."""
        return self.select_related("audience").prefetch_related("patterns")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible(self) -> Self:
        """Deliveries whose subscription is not deleted; the others will be removed soon."""
        return self.filter(subscription__deleted_at__isnull=True)

    def due(self, now: datetime) -> Self:
        """Deliveries that may be taken now, also those whose lease has run out."""
        return self.filter(due_at__lte=now)

    def by_broker(self) -> Self:
        return self.filter(audience__isnull=True)

    def over(self) -> Self:
        return self.filter(status__in=["success", "dead"])
