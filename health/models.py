"""Health statuses: what agents observe of the versions they have deployed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from agents.models import Agent
from core.moments import MomentField
from health.querysets import DeploymentHealthQuerySet
from stacks.models import DeploymentObject


class HealthStatus(models.TextChoices):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"


class DeploymentHealth(models.Model):
    """The latest health status that one agent sent for one version. Written with every health report, changed or not.

    `since` is since when the broker has heard the same status without a gap: a status that became stale before it was
    repeated begins anew. `checked_at` is when the agent looked, by its own clock; `updated_at` is when the broker
    received the status. The status becomes stale by `updated_at`: a wrong clock must neither keep it alive nor end it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="health", db_index=False)
    deployment_object = models.ForeignKey(
        DeploymentObject, to_field="id", on_delete=models.CASCADE, related_name="health"
    )
    status = models.CharField(max_length=20, choices=HealthStatus.choices)
    # JSON as text, because the wire carries it as a string.
    summary = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    checked_at = models.DateTimeField()
    # The database's default is for web processes of the release before, which run on while the new ones start.
    since = MomentField(db_default=Now(), editable=False)
    created_at = MomentField(editable=False)
    updated_at = MomentField(editable=False)

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
            # The few statuses that need attention. No index holds a time: times change with every report, and without
            # them PostgreSQL can rewrite the row without touching an index.
            models.Index(
                fields=["agent"],
                name="deployment_health_trouble",
                condition=Q(status__in=["degraded", "failing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.deployment_object.sequence_id} on {self.agent.name}"


class HealthChange(models.Model):
    """From this moment on, the agent reported this status for the version. Repeats write no row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent_id = models.UUIDField()
    deployment_object_id = models.UUIDField()
    status = models.CharField(max_length=20, choices=HealthStatus.choices)
    at = models.DateTimeField()

    class Meta:
        db_table = "deployment_health_history"
        verbose_name = "change of health"
        verbose_name_plural = "changes of health"
        indexes = [
            models.Index(fields=["agent_id", "at"], name="health_history_of_agent"),
            models.Index(fields=["deployment_object_id", "at"], name="health_history_of_object"),
            models.Index(fields=["at", "id"], name="health_history_age"),
        ]

    def __str__(self) -> str:
        return f"{self.status} since {self.at}"
