"""Notices that wait for the limit of their subscription."""

from django.db import models

from webhooks.event_types import MAX_EVENT_TYPE
from webhooks.formats import Format
from webhooks.models.audience import Audience
from webhooks.models.subscription import FORMATS, Subscription


class HeldNotice(models.Model):
    """A notice of a subscription with a limit, written in the transaction of the event.

    `webhooks.services.limits` makes a delivery of it, or counts it in a summary, and deletes it in that transaction.
    """

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_type = models.CharField(max_length=MAX_EVENT_TYPE)
    event_id = models.UUIDField()
    # The body that is sent if it becomes a delivery, and its format.
    payload = models.TextField()
    format = models.CharField(max_length=20, choices=FORMATS, default=Format.STANDARD.value)
    # The audience of the subscription at the time of the event.
    audience = models.ForeignKey(
        Audience, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()

    class Meta:
        db_table = "webhook_held_notices"
        # People do not work with these rows.
        default_permissions = ()
        indexes = [models.Index(fields=["subscription", "id"], name="webhook_held_by_webhook")]

    def __str__(self) -> str:
        return f"{self.event_type} for {self.subscription}"
