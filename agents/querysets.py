"""The vocabulary of agents and their events."""

from __future__ import annotations

from datetime import datetime
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

    def heard_since(self, moment: datetime) -> Self:
        return self.filter(heartbeat__last_heartbeat__gte=moment)

    def silent_since(self, moment: datetime) -> Self:
        """Agents that have been heard, but not since `moment`."""
        return self.filter(heartbeat__last_heartbeat__lt=moment)

    def never_heard(self) -> Self:
        return self.filter(heartbeat__last_heartbeat__isnull=True)


class AgentEventQuerySet(ActiveQuerySet["AgentEvent"]):
    def about_stacks_of(self, generator_id: UUID) -> Self:
        return self.filter(deployment_object__stack__generator_id=generator_id)
