"""The vocabulary of agents and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from core.labels.querysets import LabelledQuerySet
from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from agents.models import Agent, AgentEvent

ACTIVE = "ACTIVE"


class AgentQuerySet(LabelledQuerySet["Agent"]):
    def with_heartbeat(self) -> Self:
        """With the row that heartbeats write, in the same query."""
        return self.select_related("heartbeat")

    def registered_with(self, generator_id: UUID) -> Self:
        return self.filter(registrations__generator_id=generator_id)

    def working(self) -> Self:
        """Agents that an operator has activated."""
        return self.filter(status=ACTIVE)


class AgentEventQuerySet(ActiveQuerySet["AgentEvent"]):
    def about_stacks_of(self, generator_id: UUID) -> Self:
        return self.filter(deployment_object__stack__generator_id=generator_id)
