"""Performs bulk jobs, and forgets old ones."""

from datetime import timedelta

from bulk.services.jobs import forget_old_jobs
from bulk.services.steps import perform_step
from core import clock
from core.jobs import periodic, stopping

# Between two steps, so that others who write get their turn on SQLite.
_PAUSE_SECONDS = 0.02


@periodic(every=timedelta(seconds=1), is_long=True)
def perform_bulk_jobs() -> int:
    steps = 0
    while not stopping.is_set() and perform_step(now=clock.now()):
        steps += 1
        stopping.wait(_PAUSE_SECONDS)
    return steps


@periodic(every=timedelta(hours=1))
def forget_bulk_jobs() -> int:
    return forget_old_jobs(now=clock.now())
