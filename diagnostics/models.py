"""Diagnostics: an admin asks an agent about the state of one of its deployments."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models import Agent
from core.moments import MomentField
from diagnostics.querysets import DiagnosticQuerySet
from stacks.models import DeploymentObject

MAX_REQUESTED_BY = 255


class DiagnosticStatus(models.TextChoices):
    PENDING = "pending"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"


class DiagnosticRequest(models.Model):
    """A request to an agent. It is open while pending or claimed. Nobody can claim it after `expires_at`."""

    NOUN: ClassVar[str] = "diagnostic"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="diagnostics", db_index=False)
    deployment_object = models.ForeignKey(
        DeploymentObject, to_field="id", on_delete=models.CASCADE, related_name="diagnostics"
    )
    status = models.CharField(
        max_length=20, choices=DiagnosticStatus.choices, default=DiagnosticStatus.PENDING
    )
    requested_by = models.CharField(max_length=MAX_REQUESTED_BY, null=True)  # noqa: DJ001  # the wire tells null from empty
    created_at = MomentField(editable=False)
    claimed_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    objects = DiagnosticQuerySet.as_manager()

    class Meta:
        db_table = "diagnostic_requests"
        verbose_name = "diagnostic"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "expired"], completed_at__isnull=True)
                | Q(status="claimed", claimed_at__isnull=False, completed_at__isnull=True)
                | Q(status__in=["completed", "failed"], claimed_at__isnull=False, completed_at__isnull=False),
                name="diagnostic_times_fit_status",
            )
        ]
        indexes = [
            models.Index(
                fields=["agent", "created_at", "id"],
                name="diagnostics_pending",
                condition=Q(status="pending"),
            ),
            models.Index(
                fields=["expires_at"],
                name="diagnostics_open",
                condition=Q(status__in=["pending", "claimed"]),
            ),
            models.Index(fields=["-created_at", "-id"], name="diagnostics_listed"),
        ]

    def __str__(self) -> str:
        return f"#{self.deployment_object.sequence_id} on {self.agent.name}"


class DiagnosticResult(models.Model):
    """What the agent found: texts that contain JSON, stored as they were sent."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.OneToOneField(DiagnosticRequest, on_delete=models.CASCADE, related_name="result")
    pod_statuses = models.TextField()
    events = models.TextField()
    log_tails = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    collected_at = models.DateTimeField()
    created_at = MomentField(editable=False)

    class Meta:
        db_table = "diagnostic_results"

    def __str__(self) -> str:
        return f"Result of {self.request_id}"
