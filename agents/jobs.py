"""The periodic jobs about agents."""

from datetime import timedelta

from agents.services.events import delete_old_events
from agents.services.history import delete_old_associations
from agents.services.offers import delete_old_offers
from agents.services.silence import announce_recovered_agents, announce_silent_agents
from core import clock
from core.jobs import periodic


# One run deletes a limited number. Ten thousand agents with twenty stacks write at most 200,000 events in an hour.
@periodic(every=timedelta(minutes=5))
def forget_old_events() -> int:
    return delete_old_events(now=clock.now())


@periodic(every=timedelta(hours=6))
def forget_old_offers() -> int:
    return delete_old_offers(now=clock.now())


@periodic(every=timedelta(hours=6))
def forget_old_associations() -> int:
    return delete_old_associations(now=clock.now())


@periodic(every=timedelta(seconds=10))
def watch_silence() -> int:
    now = clock.now()
    return announce_recovered_agents(now=now) + announce_silent_agents(now=now)
