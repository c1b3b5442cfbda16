"""The periodic jobs about diagnostics."""

from datetime import timedelta

from django.conf import settings

from core import clock
from core.jobs import periodic
from diagnostics.services import close_overdue, delete_old_diagnostics


@periodic(every=lambda: timedelta(seconds=settings.DIAGNOSTIC_CLEANUP_INTERVAL_SECONDS))
def clean_up_diagnostics() -> int:
    now = clock.now()
    return close_overdue(now=now) + delete_old_diagnostics(now=now)
