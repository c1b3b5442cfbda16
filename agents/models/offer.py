"""What an agent's polls have been answered with."""

from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from stacks.models import DeploymentObject, Stack


class AgentOffer(models.Model):
    """The first time that an answer to the agent's poll carried the version.

    Whoever was offered a version may have deployed it, reported or not, and is owed its removal.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="offers", db_index=False)
    version = models.ForeignKey(
        DeploymentObject, on_delete=models.CASCADE, related_name="offers", db_index=False
    )
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="offers", db_index=False)
    offered_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "agent_offers"
        constraints = [
            models.UniqueConstraint(fields=["agent", "version"], name="unique_agent_offer"),
        ]
        indexes = [models.Index(fields=["stack", "agent"], name="agent_offers_of_stack")]

    def __str__(self) -> str:
        return f"#{self.version_id} to {self.agent_id}"
