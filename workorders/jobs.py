"""The periodic jobs about work orders."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from workorders.services.expiry import release_stale_claims, requeue_due_retries


@periodic(every=timedelta(seconds=5))
def release_claims() -> int:
    return release_stale_claims(now=clock.now())


@periodic(every=timedelta(seconds=5))
def requeue_retries() -> int:
    return requeue_due_retries(now=clock.now())
