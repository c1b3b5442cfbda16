"""What the clock does to the audit log."""

from datetime import timedelta

from django.utils import timezone

from audit.services import delete_old_entries
from core.jobs import periodic


# A run deletes a bounded number; a large log is cut back within hours, a steady one at once.
@periodic(every=timedelta(minutes=10))
def forget_old_entries() -> int:
    return delete_old_entries(now=timezone.now())
