"""What holds a version back from the agents that serve its stack, and which agents get it although it is held."""

from django.db import models
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from core.moments import MomentField
from stacks.models import DeploymentObject


class HoldReason(models.TextChoices):
    """Why a version is held. A version may be held for several reasons at the same time."""

    # A rollout releases it in waves.
    ROLLOUT = "rollout"
    # It was published during a freeze.
    FREEZE = "freeze"
    # A pipeline published again a content that was rolled back before.
    ROLLED_BACK_CONTENT = "rolled_back_content"
    # It brings back the previous content, only for the agents that had got a newer one.
    ROLLBACK = "rollback"
    # A newer version was published in the same freeze and replaces it.
    SUPERSEDED = "superseded"


class VersionHold(models.Model):
    """One reason to hold a version. Written only in the transaction that inserts the version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        DeploymentObject, on_delete=models.CASCADE, related_name="holds", db_index=False
    )
    reason = models.CharField(max_length=30, choices=HoldReason.choices)
    created_at = MomentField(editable=False)

    class Meta:
        db_table = "object_holds"
        verbose_name = "held version"
        constraints = [models.UniqueConstraint(fields=["version", "reason"], name="unique_object_hold")]

    def __str__(self) -> str:
        return f"#{self.version_id} {self.reason}"


class VersionRelease(models.Model):
    """A held version is released to this agent. It is never withdrawn, even if the agent no longer serves the stack."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        DeploymentObject, on_delete=models.CASCADE, related_name="releases", db_index=False
    )
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="releases", db_index=False)
    created_at = MomentField(editable=False)
    # Of the transaction that wrote it, as in the audit log; a trigger writes it.
    transaction_number = models.BigIntegerField(null=True, editable=False)

    class Meta:
        db_table = "object_releases"
        constraints = [models.UniqueConstraint(fields=["version", "agent"], name="unique_object_release")]

    def __str__(self) -> str:
        return f"#{self.version_id} for {self.agent_id}"
