"""The periodic jobs about work orders."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from workorders.services.expiry import release_stale_claims, requeue_due_retries
from workorders.services.retention import delete_old_log_entries


@periodic(every=timedelta(seconds=5))
def release_claims() -> int:
    return release_stale_claims(now=clock.now())


@periodic(every=timedelta(seconds=5))
def requeue_retries() -> int:
    return requeue_due_retries(now=clock.now())


@periodic(every=timedelta(minutes=5))
def forget_old_log_entries() -> int:
    return delete_old_log_entries(now=clock.now())
