"""The kinds of events about webhooks."""

from core.events import EventKind


class WebhookEventKind(EventKind):
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DELIVERY_FAILED = "webhook.delivery_failed"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_REDELIVERED = "webhook.redelivered"
    WEBHOOK_SEALED_ANEW = "webhook.sealed_anew"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105  # a name
    WEBHOOK_UPDATED = "webhook.updated"
