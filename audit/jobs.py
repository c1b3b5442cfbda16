"""Periodic jobs of the audit log."""

from datetime import timedelta

from django.conf import settings

from audit.services import delete_old_entries, run_verifications, seal_new_entries
from core import clock
from core.jobs import periodic, stopping


# One run deletes a bounded number of rows: a log that grew too large shrinks within hours.
@periodic(every=timedelta(minutes=10))
def forget_old_entries() -> int:
    return delete_old_entries(now=clock.now())


# After an upgrade the whole log is without seals.
@periodic(every=lambda: timedelta(seconds=settings.AUDIT_SEAL_SECONDS), is_long=True)
def seal_entries() -> int:
    return seal_new_entries(now=clock.now(), may_go_on=lambda: not stopping.is_set())


@periodic(every=timedelta(seconds=10), is_long=True)
def verify_log() -> int:
    return run_verifications(may_go_on=lambda: not stopping.is_set())
