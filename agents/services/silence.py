"""Announcing that agents have gone silent, and that they are heard again: each of it once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentHeartbeat
from agents.querysets import AgentQuerySet
from agents.silence import grace_of
from core.events import SYSTEM, Event, emit

# Announced in steps of this many, so that no transaction grows with the outage.
_BATCH = 100


def announce_silent_agents(*, now: datetime) -> int:
    """Mark the agents that went silent and say so; the number of them. Safe in several workers at once.

    The mark is a guarded update, so of several workers one announces, and a heartbeat that came meanwhile wins.
    """
    return _in_steps(Agent.objects.active().filter(silent_since__isnull=True).silent(now), _mark_silent)


def announce_recovered_agents(*, now: datetime) -> int:
    """Take the mark off the agents that are heard again and say so; the number of them. As safe."""
    return _in_steps(Agent.objects.active().filter(silent_since__isnull=False).heard(now), _mark_recovered)


def _in_steps(agents: AgentQuerySet, mark: Callable[[Agent], Event | None]) -> int:
    ids: Sequence[UUID] = list(agents.order_by("id").values_list("id", flat=True))
    announced = 0
    for start in range(0, len(ids), _BATCH):
        with transaction.atomic():
            # Asked again: an earlier step, or another worker, may have taken its time.
            batch = agents.with_heartbeat().filter(id__in=ids[start : start + _BATCH]).order_by("id")
            events = [event for event in map(mark, batch) if event is not None]
            if events:
                emit(*events)
        announced += len(events)
    return announced


def _mark_silent(agent: Agent) -> Event | None:
    """What is to be told; None when another worker, or a heartbeat, was first."""
    last = agent.heartbeat.last_heartbeat
    # Not a join: only a condition on the row itself is looked at again when another worker held the row.
    same_heartbeat = AgentHeartbeat.objects.filter(agent=OuterRef("pk"), last_heartbeat=last)
    won = (
        Agent.objects.active()
        .filter(Exists(same_heartbeat), pk=agent.pk, silent_since__isnull=True)
        .update(silent_since=last)
    )
    seconds = int(grace_of(agent).total_seconds())
    facts = {"last_heartbeat": last, "silent_after_seconds": seconds}
    return _event(AgentEventKind.AGENT_SILENT, agent, facts) if won else None


def _mark_recovered(agent: Agent) -> Event | None:
    """What is to be told; None when another worker was first."""
    won = (
        Agent.objects.active().filter(pk=agent.pk, silent_since=agent.silent_since).update(silent_since=None)
    )
    facts = {"silent_since": agent.silent_since, "last_heartbeat": agent.heartbeat.last_heartbeat}
    return _event(AgentEventKind.AGENT_RECOVERED, agent, facts) if won else None


def _event(kind: AgentEventKind, agent: Agent, facts: Mapping[str, object]) -> Event:
    return Event(
        kind=kind,
        resource_type="agent",
        resource_id=agent.id,
        actor=SYSTEM,
        details={name: _plain(value) for name, value in facts.items()},
        data={
            "agent_id": agent.id,
            "name": agent.name,
            "cluster_name": agent.cluster_name,
            **facts,
        },
    )


def _plain(value: object) -> object:
    # The audit log keeps JSON; times as the API writes them.
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value
