"""Targets: stacks that were given to an agent explicitly."""

from django.db import models
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from stacks.models import Stack


class AgentTarget(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="targets", db_index=False)
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="targets")

    class Meta:
        db_table = "agent_targets"
        constraints = [models.UniqueConstraint(fields=["agent", "stack"], name="unique_agent_stack")]

    def __str__(self) -> str:
        return f"{self.agent_id} targets {self.stack_id}"
