"""Deletes old sessions and failed logins."""

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session

from core import clock


def forget_old_logins() -> int:
    """Delete the sessions that have ended and the failures that no longer count. Returns the number of rows."""
    now = clock.now()
    sessions, _ = Session.objects.filter(expire_date__lt=now).delete()
    attempts: int = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()[
        0
    ]
    return sessions + attempts
