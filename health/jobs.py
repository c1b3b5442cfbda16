"""Periodic jobs of health statuses."""

from datetime import timedelta

from core import clock
from core.jobs import periodic
from health.services import delete_old_changes, delete_old_health


@periodic(every=timedelta(hours=1))
def forget_old_health() -> int:
    return delete_old_health(now=clock.now())


@periodic(every=timedelta(hours=6))
def forget_old_changes() -> int:
    return delete_old_changes(now=clock.now())
