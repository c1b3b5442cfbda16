"""Bulk jobs: one action on many rows, performed by the worker in steps."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from core.moments import MomentField
from core.validators import MAX_LABEL


class State(models.TextChoices):
    # Its plan is shown, and nobody has said yes.
    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class Outcome(models.TextChoices):
    PENDING = "pending"
    DONE = "done"
    # There was nothing to change.
    UNCHANGED = "unchanged"
    # The action would have done something else to the row than the plan said, so it was not done.
    STALE = "stale"
    REFUSED = "refused"


class BulkJob(models.Model):
    """One action of a list on all rows that matched. `model` is a model's label, `action` a name that its pages know.

    `actor` is the author of all its changes, as JSON. A draft has the ids of its rows in `selection`; when it begins
    they become rows of their own.
    """

    NOUN: ClassVar[str] = "bulk_job"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = MomentField(editable=False)
    model = models.CharField(max_length=100)
    action = models.CharField(max_length=100)
    word = models.CharField(max_length=MAX_LABEL, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    actor = models.JSONField()
    reason = models.TextField(blank=True)
    selection = models.JSONField(default=list)
    total = models.PositiveIntegerField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_jobs"
        verbose_name = "bulk job"
        constraints = [
            models.CheckConstraint(
                condition=Q(state=State.DRAFT, begun_at__isnull=True)
                | (~Q(state=State.DRAFT) & Q(begun_at__isnull=False)),
                name="bulk_job_begun",
            ),
            models.CheckConstraint(
                condition=Q(state=State.DONE, ended_at__isnull=False)
                | (~Q(state=State.DONE) & Q(ended_at__isnull=True)),
                name="bulk_job_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["begun_at", "id"], name="bulk_jobs_running", condition=Q(state=State.RUNNING)
            ),
            models.Index(fields=["created_at", "id"], name="bulk_jobs_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.word}".strip()


class BulkJobRow(models.Model):
    """What a job does with one row. `digest` says what the plan told of it; it is empty if that was nothing."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="rows", db_index=False)
    row_id = models.UUIDField()
    digest = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.PENDING)
    # Why it was refused.
    message = models.TextField(blank=True)

    class Meta:
        db_table = "bulk_job_rows"
        # They are seen on the page of their job.
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "row_id"], name="bulk_job_row_once")]
        indexes = [models.Index(fields=["job", "outcome", "id"], name="bulk_job_rows_by_outcome")]

    def __str__(self) -> str:
        return f"{self.row_id} {self.outcome}"
