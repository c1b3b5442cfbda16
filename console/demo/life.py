"""Keeps the agents of a demonstration alive: those that are not meant to be silent go on sending heartbeats."""

from collections.abc import Callable
from uuid import UUID

from agents.models import Agent
from agents.services.agents import record_heartbeat
from core import clock

SECONDS_BETWEEN = 20


def living() -> list[UUID]:
    """The active agents that were heard in time."""
    return list(Agent.objects.active().working().heard(clock.now()).values_list("pk", flat=True))


def keep_alive(agents: list[UUID], wait: Callable[[float], bool]) -> None:
    """Send a heartbeat of each agent again and again, until `wait` says that it is enough.

    `wait` is given the seconds until the next round.
    """
    while True:
        for agent_id in agents:
            record_heartbeat(agent_id=agent_id, k8s_reachable=None, k8s_api_latency_ms=None)
        if wait(SECONDS_BETWEEN):
            return
