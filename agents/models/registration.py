"""Registrations: the generators whose stacks an agent may serve."""

from django.db import models
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from core.moments import MomentField
from generators.models import Generator


class Registration(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="registrations", db_index=False)
    generator = models.ForeignKey(Generator, on_delete=models.CASCADE, related_name="registrations")
    registered_at = MomentField(editable=False)

    class Meta:
        db_table = "agent_generator_registrations"
        constraints = [models.UniqueConstraint(fields=["agent", "generator"], name="unique_agent_generator")]

    def __str__(self) -> str:
        return f"{self.agent} for {self.generator}"
