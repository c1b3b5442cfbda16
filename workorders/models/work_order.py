"""Work orders: jobs that are done once, each by one agent at a time."""

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models import Agent
from core.moments import MomentField
from core.validators import MAX_LABEL
from workorders.querysets import WorkOrderQuerySet

MAX_WORK_TYPE = 50


class Status(models.TextChoices):
    PENDING = "PENDING"
    CLAIMED = "CLAIMED"
    RETRY_PENDING = "RETRY_PENDING"


class WorkOrder(models.Model):
    """An order that is not finished. The last transition moves it to the log and removes this row.

    `claim_token` identifies one claim: an agent that completes with an older token learns that its claim has ended.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = MomentField(editable=False)
    updated_at = MomentField(editable=False)
    work_type = models.CharField(max_length=MAX_WORK_TYPE)
    yaml_content = models.TextField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    claimed_by = models.ForeignKey(
        Agent, null=True, on_delete=models.PROTECT, related_name="claimed_work_orders"
    )
    claimed_at = models.DateTimeField(null=True)
    claim_expires_at = models.DateTimeField(null=True)
    claim_token = models.UUIDField(null=True)
    claim_timeout_seconds = models.IntegerField(default=3600)
    max_retries = models.IntegerField(default=3)
    retry_count = models.IntegerField(default=0)
    backoff_seconds = models.IntegerField(default=60)
    next_retry_after = models.DateTimeField(null=True)
    last_error = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    last_error_at = models.DateTimeField(null=True)

    objects = WorkOrderQuerySet.as_manager()

    class Meta:
        db_table = "work_orders"
        constraints = [
            models.CheckConstraint(
                condition=Q(retry_count__gte=0, retry_count__lte=F("max_retries")),
                name="work_order_retries_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(backoff_seconds__gt=0, claim_timeout_seconds__gt=0),
                name="work_order_times_positive",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="CLAIMED",
                    claimed_by__isnull=False,
                    claimed_at__isnull=False,
                    claim_expires_at__isnull=False,
                    claim_token__isnull=False,
                )
                | (
                    ~Q(status="CLAIMED")
                    & Q(
                        claimed_by__isnull=True,
                        claimed_at__isnull=True,
                        claim_expires_at__isnull=True,
                        claim_token__isnull=True,
                    )
                ),
                name="work_order_claim_whole_or_none",
            ),
            models.CheckConstraint(
                condition=Q(status="RETRY_PENDING", next_retry_after__isnull=False)
                | (~Q(status="RETRY_PENDING") & Q(next_retry_after__isnull=True)),
                name="work_order_retry_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="work_orders_listed"),
            models.Index(fields=["status", "work_type", "created_at"], name="work_orders_by_status"),
            models.Index(
                fields=["claim_expires_at"], name="work_orders_stale", condition=Q(status="CLAIMED")
            ),
            models.Index(
                fields=["next_retry_after"], name="work_orders_due", condition=Q(status="RETRY_PENDING")
            ),
        ]

    def __str__(self) -> str:
        # The end of the id, because the beginning is the time, which is the same for many.
        return f"{self.work_type} …{str(self.id)[-8:]}"


class WorkOrderTarget(models.Model):
    """An agent that may claim the order."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    work_order = models.ForeignKey(
        WorkOrder, on_delete=models.CASCADE, related_name="targets", db_index=False
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="work_order_targets", db_index=False
    )
    created_at = MomentField()

    class Meta:
        db_table = "work_order_targets"
        constraints = [
            models.UniqueConstraint(fields=["work_order", "agent"], name="unique_work_order_agent"),
            models.UniqueConstraint(fields=["agent", "work_order"], name="work_order_targets_by_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.work_order_id} for {self.agent_id}"


class WorkOrderLabel(models.Model):
    """Agents with this label may claim the order."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    work_order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="labels", db_index=False)
    label = models.CharField(max_length=MAX_LABEL)
    created_at = MomentField()

    class Meta:
        db_table = "work_order_labels"
        constraints = [
            models.UniqueConstraint(fields=["work_order", "label"], name="unique_work_order_label"),
            models.UniqueConstraint(fields=["label", "work_order"], name="work_order_labels_by_label"),
        ]

    def __str__(self) -> str:
        return self.label


class WorkOrderAnnotation(models.Model):
    """Agents with this annotation may claim the order."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    work_order = models.ForeignKey(
        WorkOrder, on_delete=models.CASCADE, related_name="annotations", db_index=False
    )
    key = models.CharField(max_length=MAX_LABEL)
    value = models.CharField(max_length=MAX_LABEL)
    created_at = MomentField()

    class Meta:
        db_table = "work_order_annotations"
        constraints = [
            models.UniqueConstraint(
                fields=["work_order", "key", "value"], name="unique_work_order_annotation"
            ),
            models.UniqueConstraint(
                fields=["key", "value", "work_order"], name="work_order_annotations_by_pair"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
