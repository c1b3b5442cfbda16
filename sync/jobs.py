"""The periodic jobs of sync."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from sync.services import delete_old_received_reports


@periodic(every=timedelta(minutes=5))
def forget_received_reports() -> int:
    return delete_old_received_reports(now=clock.now())
