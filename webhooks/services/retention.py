"""What grows old is ended or removed, in batches, so that no transaction grows with what there is.

Everything here is safe to run in several workers at once, and stops after some batches: the worker has other jobs, and
the next run goes on.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.retention import MAX_STEPS, delete_in_steps
from webhooks.models import Delivery, Status, Subscription
from webhooks.services.deliveries import give_up

_BATCH = 1000
WAITED_IN_VAIN = "Nobody has taken it within the time that deliveries are kept."


def remove_old(*, now: datetime, keep: timedelta) -> int:
    """Remove the deliveries that have been over for longer than `keep`; the number removed."""
    end = now - keep
    # What ended before had begun before: an index finds that.
    old = Delivery.objects.over().filter(created_at__lt=end, completed_at__lt=end)
    return delete_in_steps(old.order_by("created_at", "id"))


def remove_orphaned() -> int:
    """Remove the deliveries of deleted subscriptions; the number removed."""
    # No join, which would lock the subscription too.
    deleted = Subscription.objects.filter(deleted_at__isnull=False)
    return delete_in_steps(Delivery.objects.filter(subscription__in=deleted))


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
    for _ in range(MAX_STEPS):
        with transaction.atomic():
            batch = waiting.select_for_update(skip_locked=True, of=("self",))
            rows = list(batch.order_by("id")[:_BATCH])
            give_up(rows, reason=WAITED_IN_VAIN, now=now)
        ended += len(rows)
        if len(rows) < _BATCH:
            break
    return ended
