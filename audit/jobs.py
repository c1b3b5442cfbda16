"""Periodic jobs of the audit log."""

from datetime import timedelta

from audit.services import delete_old_entries
from core import clock
from core.jobs import periodic


# One run deletes a bounded number of rows: a log that grew too large shrinks within hours.
@periodic(every=timedelta(minutes=10))
def forget_old_entries() -> int:
    return delete_old_entries(now=clock.now())
