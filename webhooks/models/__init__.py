from webhooks.models.audience import Audience, AudienceLabel
from webhooks.models.delivery import Delivery, Status
from webhooks.models.subscription import EventPattern, Subscription

__all__ = ["Audience", "AudienceLabel", "Delivery", "EventPattern", "Status", "Subscription"]
