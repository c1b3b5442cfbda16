"""What the clock does to agents."""

from datetime import timedelta

from django.utils import timezone

from agents.services.silence import announce_recovered_agents, announce_silent_agents
from core.jobs import periodic


@periodic(every=timedelta(seconds=10))
def watch_silence() -> int:
    now = timezone.now()
    return announce_recovered_agents(now=now) + announce_silent_agents(now=now)
