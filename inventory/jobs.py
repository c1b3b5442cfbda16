"""The periodic job of the inventory."""

import logging
from datetime import timedelta

from core import clock
from core.jobs import periodic, stopping
from inventory.models import Progress
from inventory.services import read_past

logger = logging.getLogger(__name__)


# Long, because the first run after an upgrade reads all versions that there are.
@periodic(every=timedelta(minutes=1), is_long=True)
def read_versions_of_the_past() -> int:
    read = 0
    while not stopping.is_set() and (step := read_past(now=clock.now())):
        read += step
        progress = Progress.objects.get()
        if not progress.is_complete:
            logger.info("inventory: read up to #%s of #%s", progress.read_up_to, progress.past_ends_with)
    return read
