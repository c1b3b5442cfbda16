"""What grows old is ended or removed, in batches, so that no transaction grows with what there is.

Everything here is safe to run in several workers at once.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from webhooks.models import Delivery, Status
from webhooks.services.deliveries import give_up

_BATCH = 1000
WAITED_IN_VAIN = "Nobody has taken it within the time that deliveries are kept."


def remove_old(*, now: datetime, keep: timedelta) -> int:
    """Remove the deliveries that have been over for longer than `keep`; the number removed."""
    end = now - keep
    # What ended before had begun before: an index finds that.
    return _remove(Delivery.objects.over().filter(created_at__lt=end, completed_at__lt=end))


def remove_orphaned() -> int:
    """Remove the deliveries of deleted subscriptions; the number removed."""
    return _remove(Delivery.objects.filter(subscription__deleted_at__isnull=False))


def end_waiting(*, now: datetime, keep: timedelta) -> int:
    """End what has waited for longer than `keep` for an agent or for its subscription to be enabled; the number ended.

    What the broker could deliver itself is not ended, however long no worker was there.
    """
    ended = 0
    waiting = Delivery.objects.visible().filter(
        Q(audience__isnull=False) | Q(subscription__enabled=False),
        # Acquired: by somebody whose lease ended as long ago, and whom nobody followed.
        status__in=[Status.PENDING, Status.FAILED, Status.ACQUIRED],
        due_at__lt=now - keep,
    )
    while True:
        with transaction.atomic():
            batch = waiting.select_for_update(skip_locked=True, of=("self",))
            rows = list(batch.order_by("id")[:_BATCH])
            give_up(rows, reason=WAITED_IN_VAIN, now=now)
        ended += len(rows)
        if len(rows) < _BATCH:
            return ended


def _remove(rows: QuerySet[Delivery]) -> int:
    removed = 0
    while True:
        ids = list(rows.values_list("pk", flat=True)[:_BATCH])
        # The condition again: meanwhile somebody may have asked to send one of them anew.
        removed += rows.filter(pk__in=ids).delete()[0]
        if len(ids) < _BATCH:
            return removed
