"""Deliveries: one notice on its way to one subscription."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Agent
from webhooks.event_types import MAX_EVENT_TYPE
from webhooks.formats import Format
from webhooks.models.audience import Audience
from webhooks.models.subscription import FORMATS, Subscription
from webhooks.querysets import DeliveryQuerySet


class Status(models.TextChoices):
    PENDING = "pending"
    ACQUIRED = "acquired"
    SUCCESS = "success"
    FAILED = "failed"
    DEAD = "dead"


class Delivery(models.Model):
    """A delivery, written in the transaction of the event. All subscriptions and attempts have the same `event_id`.

    `due_at` is when somebody may take it: at once while it is pending, at the end of the lease while it is acquired, at
    the end of the back-off while it has failed, never after it is over. `lease` identifies one claim by the broker's
    worker: a worker that has lost it cannot record an outcome.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event_type = models.CharField(max_length=MAX_EVENT_TYPE)
    event_id = models.UUIDField()
    # The body that is sent, and the format of the subscription in which it was written.
    payload = models.TextField()
    format = models.CharField(
        max_length=20, choices=FORMATS, default=Format.STANDARD.value, db_default=Format.STANDARD.value
    )
    # The audience of the subscription at the time of the event.
    audience = models.ForeignKey(
        Audience, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    acquired_by = models.ForeignKey(
        Agent, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    lease = models.UUIDField(null=True)
    due_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["pending", "acquired", "failed"],
                    due_at__isnull=False,
                    completed_at__isnull=True,
                )
                | Q(status__in=["success", "dead"], due_at__isnull=True, completed_at__isnull=False),
                name="webhook_delivery_due_or_over",
            ),
            models.CheckConstraint(
                condition=Q(status="acquired") | Q(lease__isnull=True), name="webhook_delivery_lease_held"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="webhook_deliveries_listed"),
            models.Index(fields=["subscription", "-created_at", "-id"], name="webhook_deliveries_by_webhook"),
            models.Index(fields=["status", "-created_at", "-id"], name="webhook_deliveries_by_status"),
            models.Index(
                fields=["subscription", "due_at"],
                name="webhook_due_for_broker",
                condition=Q(due_at__isnull=False, audience__isnull=True),
            ),
            models.Index(
                fields=["audience", "due_at"],
                name="webhook_due_for_agents",
                condition=Q(due_at__isnull=False, audience__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} to {self.subscription}"

    @property
    def acquired_until(self) -> datetime | None:
        return self.due_at if self.status == Status.ACQUIRED else None

    @property
    def next_retry_at(self) -> datetime | None:
        return self.due_at if self.status == Status.FAILED else None

    @property
    def target_labels(self) -> list[str] | None:
        return None if self.audience is None else list(self.audience.labels)
