"""What keeps a version from the agents that serve its stack, and which of them get it all the same."""

from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from stacks.models import DeploymentObject


class HoldReason(models.TextChoices):
    """Why a version is not for everybody yet. A version may be held for several reasons at once."""

    # It reaches the fleet in waves.
    ROLLOUT = "rollout"
    # It was published while a freeze held.
    FREEZE = "freeze"
    # Its content was rolled back before, and a pipeline published it again.
    ROLLED_BACK_CONTENT = "rolled_back_content"
    # It brings back the previous content, to those alone who had got a newer one.
    ROLLBACK = "rollback"
    # A newer version was published in the same freeze, and takes its place.
    SUPERSEDED = "superseded"


class VersionHold(models.Model):
    """One reason to hold a version. Written only in the transaction that inserts the version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        DeploymentObject, on_delete=models.CASCADE, related_name="holds", db_index=False
    )
    reason = models.CharField(max_length=30, choices=HoldReason.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "object_holds"
        verbose_name = "held version"
        constraints = [models.UniqueConstraint(fields=["version", "reason"], name="unique_object_hold")]

    def __str__(self) -> str:
        return f"#{self.version_id} {self.reason}"


class VersionRelease(models.Model):
    """A held version is for this agent all the same. Never taken back, and kept when the agent leaves the stack."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        DeploymentObject, on_delete=models.CASCADE, related_name="releases", db_index=False
    )
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="releases", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "object_releases"
        constraints = [models.UniqueConstraint(fields=["version", "agent"], name="unique_object_release")]

    def __str__(self) -> str:
        return f"#{self.version_id} for {self.agent_id}"
