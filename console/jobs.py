"""Periodic jobs: delete old sessions and failed logins."""

from datetime import timedelta

from console.services import forget_old_logins
from core.jobs import periodic


@periodic(every=timedelta(hours=6))
def forget_logins() -> int:
    return forget_old_logins()
