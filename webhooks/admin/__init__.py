"""The operator's pages of webhooks and of their deliveries; one module per resource."""

from webhooks.admin import finders
from webhooks.admin.deliveries import DeliveryAdmin
from webhooks.admin.subscriptions import SubscriptionAdmin

__all__ = ["DeliveryAdmin", "SubscriptionAdmin", "finders"]
