"""Which agents deliver the notices of a subscription."""

from django.db import models
from uuid_utils.compat import uuid7

from core.validators import MAX_LABEL


class Audience(models.Model):
    """The agents that have all of these labels. Each list of labels is stored once, even if many rows refer to it.

    So the labels of an agent that asks for deliveries are compared with a few lists and not with every delivery.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The labels as the request named them.
    labels = models.JSONField()
    # SHA-256 of the labels as JSON.
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        db_table = "webhook_audiences"

    def __str__(self) -> str:
        return ", ".join(self.labels)


class AudienceLabel(models.Model):
    """One of the labels, as a row that can be compared."""

    id = models.BigAutoField(primary_key=True)
    audience = models.ForeignKey(
        Audience, on_delete=models.CASCADE, related_name="label_rows", db_index=False
    )
    label = models.CharField(max_length=MAX_LABEL)

    class Meta:
        db_table = "webhook_audience_labels"
        constraints = [
            models.UniqueConstraint(fields=["audience", "label"], name="unique_webhook_audience_label")
        ]

    def __str__(self) -> str:
        return self.label
