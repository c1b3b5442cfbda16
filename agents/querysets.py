"""The named queries of agents and their events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.conf import settings
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, IntegerField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from core.labels.querysets import LabelledQuerySet
from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from agents.models import Agent, AgentEvent

ACTIVE = "ACTIVE"


class AgentQuerySet(LabelledQuerySet["Agent"]):
    def with_heartbeat(self) -> Self:
        """Read the row that heartbeats write in the same query."""
        return self.select_related("heartbeat")

    def registered_with(self, generator_id: UUID) -> Self:
        return self.filter(registrations__generator_id=generator_id)

    def working(self) -> Self:
        """Agents that an operator has activated."""
        return self.filter(status=ACTIVE)

    def silent(self, now: datetime) -> Self:
        """Agents whose last heartbeat is older than their grace. An agent that never sent one is new, not silent."""
        return self.filter(heartbeat__last_heartbeat__lt=grace_before(now))

    def heard(self, now: datetime) -> Self:
        """Agents whose last heartbeat is within their grace."""
        return self.filter(heartbeat__last_heartbeat__gte=grace_before(now))

    def never_heard(self) -> Self:
        return self.filter(heartbeat__last_heartbeat__isnull=True)


class AgentEventQuerySet(ActiveQuerySet["AgentEvent"]):
    def about_stacks_of(self, generator_id: UUID) -> Self:
        return self.filter(deployment_object__stack__generator_id=generator_id)


def grace_before(now: datetime | Combinable) -> Combinable:
    """An expression for queries of agents: a heartbeat before this moment is older than the agent's grace."""
    # Declared as an integer, because SQLite can multiply a duration only by an integer.
    seconds = Coalesce(
        F("silent_after_seconds"), Value(settings.AGENT_SILENT_AFTER_SECONDS), output_field=IntegerField()
    )
    grace = ExpressionWrapper(seconds * Value(timedelta(seconds=1)), output_field=DurationField())
    moment = Value(now) if isinstance(now, datetime) else now
    return ExpressionWrapper(moment - grace, output_field=DateTimeField())
