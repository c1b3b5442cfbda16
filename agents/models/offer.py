"""Which versions the broker has sent in answers to an agent's polls."""

from django.db import models
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from core.moments import MomentField
from stacks.models import DeploymentObject, Stack


class AgentOffer(models.Model):
    """The first time that an answer to the agent's poll contained the version.

    An agent to which a version was offered may have deployed it without a report, so its removal is owed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="offers", db_index=False)
    version = models.ForeignKey(
        DeploymentObject, on_delete=models.CASCADE, related_name="offers", db_index=False
    )
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="offers", db_index=False)
    offered_at = MomentField(editable=False)

    class Meta:
        db_table = "agent_offers"
        constraints = [
            models.UniqueConstraint(fields=["agent", "version"], name="unique_agent_offer"),
        ]
        indexes = [models.Index(fields=["stack", "agent"], name="agent_offers_of_stack")]

    def __str__(self) -> str:
        return f"#{self.version_id} to {self.agent_id}"
