"""What the clock does to diagnostics."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from core.jobs import periodic
from diagnostics.services import close_overdue, delete_old_diagnostics


def _interval() -> timedelta:
    return timedelta(seconds=settings.DIAGNOSTIC_CLEANUP_INTERVAL_SECONDS)


@periodic(every=_interval)
def clean_up_diagnostics() -> int:
    now = timezone.now()
    return close_overdue(now=now) + delete_old_diagnostics(now=now)
