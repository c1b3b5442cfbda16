"""When an agent counts as silent: its last heartbeat is older than its grace, which is its own or the setting's.

The heartbeat itself knows nothing of this. Who asks computes it; what is announced is for the job.
"""

from datetime import datetime, timedelta

from django.conf import settings

from agents.models import Agent


def grace_of(agent: Agent) -> timedelta:
    """How old the agent's last heartbeat may be."""
    seconds = agent.silent_after_seconds
    return timedelta(seconds=settings.AGENT_SILENT_AFTER_SECONDS if seconds is None else seconds)


def is_silent(agent: Agent, now: datetime) -> bool:
    """Whether nothing has been heard for longer than the grace. An agent that never sent any is new, not silent."""
    last = agent.heartbeat.last_heartbeat
    return last is not None and last < now - grace_of(agent)
