"""When an agent counts as silent: its last heartbeat is older than its grace, its own one or the setting's.

A heartbeat does not store this. It is computed when it is needed, and a job announces changes.
"""

from datetime import datetime, timedelta

from django.conf import settings

from agents.models import Agent


def grace_of(agent: Agent) -> timedelta:
    """How old the agent's last heartbeat may be."""
    seconds = agent.silent_after_seconds
    return timedelta(seconds=settings.AGENT_SILENT_AFTER_SECONDS if seconds is None else seconds)


def is_silent(agent: Agent, now: datetime) -> bool:
    """Whether the last heartbeat is older than the grace. An agent that never sent one is new, not silent."""
    last = agent.heartbeat.last_heartbeat
    return last is not None and last < now - grace_of(agent)
