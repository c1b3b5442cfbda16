"""When an agent counts as silent: its last heartbeat is older than its grace, its own one or the setting's.

A heartbeat does not store this. It is computed when it is needed, and a job announces changes.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import DateTimeField, F, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import LessThan

from agents.models import Agent, HearingMark
from agents.querysets import AgentQuerySet, grace_before


def grace_of(agent: Agent) -> timedelta:
    """How old the agent's last heartbeat may be."""
    seconds = agent.silent_after_seconds
    return timedelta(seconds=settings.AGENT_SILENT_AFTER_SECONDS if seconds is None else seconds)


def is_silent(agent: Agent, now: datetime) -> bool:
    """Whether the last heartbeat is older than the grace. An agent that never sent one is new, not silent."""
    last = agent.heartbeat.last_heartbeat
    return last is not None and last < now - grace_of(agent)


def surely_silent_agents(now: datetime) -> AgentQuerySet:
    """The live agents that were silent for their whole grace while the broker could hear them.

    While no web process has noted yet that it hears, all silent agents.
    """
    mark = HearingMark.objects
    last = F("heartbeat__last_heartbeat")
    begin = Greatest(last, Coalesce(Subquery(mark.values("since")[:1]), last))
    end = Coalesce(Subquery(mark.values("until")[:1]), Value(now), output_field=DateTimeField())
    agents = Agent.objects.active().filter(heartbeat__last_heartbeat__isnull=False)
    return agents.filter(LessThan(begin, grace_before(end)))
