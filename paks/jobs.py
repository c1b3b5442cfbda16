"""The periodic job about keys."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from paks.endings import announce_endings


@periodic(every=timedelta(minutes=10))
def announce_endings_of_keys() -> int:
    return announce_endings(now=clock.now())
