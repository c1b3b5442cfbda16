"""What agents observe of the objects they have deployed."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from agents.models import Agent
from health.querysets import DeploymentHealthQuerySet
from stacks.models import DeploymentObject


class HealthStatus(models.TextChoices):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"


class DeploymentHealth(models.Model):
    """The latest word of one agent on one object. Written again with every report, changed or not.

    `since` is since when the broker has heard the same status without a gap: a status that grew too old before it was
    repeated begins anew. `checked_at` is when the agent looked, by its own clock; `updated_at` is when the broker heard
    of it. Whether the word still counts goes by the latter: a clock that is wrong must neither keep a status alive nor
    bury it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="health", db_index=False)
    deployment_object = models.ForeignKey(
        DeploymentObject, to_field="id", on_delete=models.CASCADE, related_name="health"
    )
    status = models.CharField(max_length=20, choices=HealthStatus.choices)
    # JSON as text: the wire carries it as a string.
    summary = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    checked_at = models.DateTimeField()
    since = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DeploymentHealthQuerySet.as_manager()

    class Meta:
        db_table = "deployment_health"
        verbose_name = "health status"
        verbose_name_plural = "health statuses"
        constraints = [
            models.UniqueConstraint(fields=["agent", "deployment_object"], name="unique_deployment_health"),
            models.CheckConstraint(
                condition=Q(status__in=["healthy", "degraded", "failing", "unknown"]),
                name="deployment_health_status",
            ),
        ]
        indexes = [
            # The few that need somebody. No index holds a time: those change with every report, and PostgreSQL can
            # then rewrite the row without touching an index.
            models.Index(
                fields=["agent"],
                name="deployment_health_trouble",
                condition=Q(status__in=["degraded", "failing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.deployment_object.sequence_id} on {self.agent.name}"
