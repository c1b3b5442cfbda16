"""The past of rows that are deleted when they end: one history row for each, with the time from which to which it was.

Triggers in the database write the history (`core/history_migrations.py`), so the code that writes the rows does not
know of it. History rows refer to others by plain ids, because they outlive them.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.retention import delete_in_steps


class AbstractHistory(models.Model):
    """The row with the same `id` was there from `added_at` until just before `removed_at`; NULL: it still is there.

    `added_in` and `removed_in` are the numbers of the transactions that began and ended it; NULL: not known. The audit
    log has the same numbers.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    added_in = models.BigIntegerField(null=True)
    removed_in = models.BigIntegerField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(removed_at__gte=F("added_at")), name="%(class)s_in_order")
        ]
        # For the retention.
        indexes = [
            models.Index(
                fields=["removed_at", "id"], name="%(class)s_end", condition=Q(removed_at__isnull=False)
            )
        ]


def kept_since(now: datetime) -> datetime | None:
    """The moment before which history is deleted; None if it is kept for ever."""
    days = settings.HISTORY_RETENTION_DAYS
    return now - timedelta(days=days) if days else None


def delete_old_history(*models_of_history: type[AbstractHistory], now: datetime) -> int:
    """Delete the rows that ended before the setting allows; the number deleted."""
    since = kept_since(now)
    if since is None:
        return 0
    return sum(
        delete_in_steps(model._default_manager.filter(removed_at__lt=since).order_by("removed_at", "id"))
        for model in models_of_history
    )
