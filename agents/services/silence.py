"""Announcing once that an agent has become silent, and once that it is heard again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentHeartbeat, AgentSilence
from agents.querysets import AgentQuerySet
from agents.silence import grace_of, surely_silent_agents
from core.events import SYSTEM, Event, emit

# Agents are announced in steps of this many, so that a large outage does not make a large transaction.
_BATCH = 100


def announce_silent_agents(*, now: datetime) -> int:
    """Mark the agents that became silent and announce them; the number announced. Safe in several workers at once.

    Nobody is announced because of heartbeats that the broker could not hear.

    The mark is a guarded update: only one of several workers announces the agent, and none does after a new heartbeat.
    """
    silent = surely_silent_agents(now).filter(silent_since__isnull=True)
    return _in_steps(silent, _mark_silent, note=partial(_begin_silence, now=now))


def announce_recovered_agents(*, now: datetime) -> int:
    """Remove the mark of the agents that are heard again and announce them; the number announced. Just as safe."""
    heard = Agent.objects.active().filter(silent_since__isnull=False).heard(now)
    return _in_steps(heard, _mark_recovered, note=partial(_end_silence, now=now))


def _in_steps(
    agents: AgentQuerySet,
    mark: Callable[[Agent], Event | None],
    *,
    note: Callable[[Sequence[Agent]], None],
) -> int:
    ids: Sequence[UUID] = list(agents.order_by("id").values_list("id", flat=True))
    announced = 0
    for start in range(0, len(ids), _BATCH):
        with transaction.atomic():
            # Read the rows again, because an earlier step or another worker may have taken long.
            batch = agents.with_heartbeat().filter(id__in=ids[start : start + _BATCH]).order_by("id")
            marked = [(agent, event) for agent in batch if (event := mark(agent)) is not None]
            events = [event for _, event in marked]
            if marked:
                note([agent for agent, _ in marked])
                emit(*events)
        announced += len(events)
    return announced


def _begin_silence(agents: Sequence[Agent], *, now: datetime) -> None:
    AgentSilence.objects.bulk_create(
        AgentSilence(agent_id=agent.pk, since=agent.heartbeat.last_heartbeat, announced_at=now)
        for agent in agents
        # An agent that never sent a heartbeat does not count as silent.
        if agent.heartbeat.last_heartbeat is not None
    )


def _end_silence(agents: Sequence[Agent], *, now: datetime) -> None:
    ids = [agent.pk for agent in agents]
    AgentSilence.objects.filter(agent_id__in=ids, ended_at__isnull=True).update(ended_at=now)


def _mark_silent(agent: Agent) -> Event | None:
    """The event to emit; None if another worker, or a heartbeat, came first."""
    last = agent.heartbeat.last_heartbeat
    # Not a join: after waiting for another worker's lock, the database checks again only conditions on the row itself.
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
    """The event to emit; None if another worker came first."""
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
    # The audit log stores JSON, with times in the form of the API.
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value
