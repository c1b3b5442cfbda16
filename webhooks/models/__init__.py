from webhooks.models.audience import Audience, AudienceLabel
from webhooks.models.decrypt_failure import DecryptFailure
from webhooks.models.delivery import Delivery, Status
from webhooks.models.held_notice import HeldNotice
from webhooks.models.subscription import EventPattern, Subscription

__all__ = [
    "Audience",
    "AudienceLabel",
    "DecryptFailure",
    "Delivery",
    "EventPattern",
    "HeldNotice",
    "Status",
    "Subscription",
]
