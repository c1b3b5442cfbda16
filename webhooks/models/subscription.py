"""Subscriptions: which notices go to which URL, and how."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models import Resource
from core.validators import MAX_NAME
from webhooks.event_types import MAX_EVENT_TYPE
from webhooks.formats import Format
from webhooks.models.audience import Audience
from webhooks.querysets import SubscriptionQuerySet

MAX_RETRIES = 10
MAX_TIMEOUT_SECONDS = 300
MAX_PER_MINUTE = 1000
FORMATS = [(each.value, each.value) for each in Format]


class Subscription(Resource):
    """An endpoint that gets notices. `webhooks.vault` encrypts URL, header and secrets; b"" means none.

    `max_retries` is the number of all attempts, with the name that clients know (0 and 1 both mean one attempt).
    If there is an audience, its agents deliver; otherwise the broker's worker does.
    """

    NOUN: ClassVar[str] = "webhook_subscription"

    name = models.CharField(max_length=MAX_NAME)
    url_sealed = models.BinaryField()
    auth_header_sealed = models.BinaryField(default=b"")
    secret_sealed = models.BinaryField()
    # The old secret signs too until it ends, so that the receiver has time to change to the new one.
    previous_secret_sealed = models.BinaryField(default=b"")
    previous_secret_ends_at = models.DateTimeField(null=True)
    enabled = models.BooleanField(default=True)
    format = models.CharField(
        max_length=20, choices=FORMATS, default=Format.STANDARD.value, db_default=Format.STANDARD.value
    )
    max_retries = models.IntegerField(default=5)
    timeout_seconds = models.IntegerField(default=30)
    # If set, notices beyond it are held and arrive as a summary.
    max_deliveries_per_minute = models.IntegerField(null=True)
    # If set, only events whose data name this agent or this stack.
    filter_agent_id = models.UUIDField(null=True)
    filter_stack_id = models.UUIDField(null=True)
    audience = models.ForeignKey(Audience, null=True, on_delete=models.PROTECT, related_name="+")

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        db_table = "webhook_subscriptions"
        verbose_name = "webhook"
        constraints = [
            models.CheckConstraint(
                condition=Q(max_retries__gte=0, max_retries__lte=MAX_RETRIES),
                name="webhook_retries_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(timeout_seconds__gte=1, timeout_seconds__lte=MAX_TIMEOUT_SECONDS),
                name="webhook_timeout_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(max_deliveries_per_minute__gte=1, max_deliveries_per_minute__lte=MAX_PER_MINUTE),
                name="webhook_per_minute_in_bounds",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-created_at", "-id"], name="webhooks_listed", condition=Q(deleted_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def event_types(self) -> list[str]:
        """The patterns, in the order in which they were given."""
        return [row.pattern for row in self.patterns.all()]

    @property
    def filters(self) -> dict[str, object]:
        """The filters that are set, by the name of the field that they compare."""
        wanted = {"agent_id": self.filter_agent_id, "stack_id": self.filter_stack_id}
        return {name: value for name, value in wanted.items() if value is not None}

    @property
    def target_labels(self) -> list[str] | None:
        return None if self.audience is None else list(self.audience.labels)


class EventPattern(models.Model):
    """An event type, or a pattern with `*` for several types, that a subscription asks for."""

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="patterns", db_index=False
    )
    pattern = models.CharField(max_length=MAX_EVENT_TYPE)

    class Meta:
        db_table = "webhook_event_patterns"
        ordering = ["id"]
        constraints = [
            # To find the subscriptions that ask for an event.
            models.UniqueConstraint(fields=["pattern", "subscription"], name="webhook_patterns_by_pattern"),
            models.UniqueConstraint(fields=["subscription", "pattern"], name="unique_webhook_pattern"),
        ]

    def __str__(self) -> str:
        return self.pattern
