"""Ends or removes old deliveries, in batches, so that a large backlog does not make a large transaction.

All functions are safe in several workers at once. They stop after some batches, because the worker has other jobs; the
next run goes on.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.retention import MAX_STEPS, delete_in_steps
from webhooks.models import Delivery, HeldNotice, Status, Subscription
from webhooks.services.deliveries import give_up

_BATCH = 1000
WAITED_IN_VAIN = "Nobody has taken it within the time that deliveries are kept."


def remove_old(*, now: datetime, keep: timedelta) -> int:
    """Remove the deliveries that have been over for longer than `keep`; the number removed."""
    end = now - keep
    # A delivery that ended before this time also began before it, and there is an index for the beginning.
    old = Delivery.objects.over().filter(created_at__lt=end, completed_at__lt=end)
    return delete_in_steps(old.order_by("created_at", "id"))


def remove_orphaned() -> int:
    """Remove the deliveries and the held notices of deleted subscriptions; the number removed."""
    # No join, because it would lock the subscription too.
    deleted = Subscription.objects.filter(deleted_at__isnull=False)
    return sum(
        delete_in_steps(rows)
        for rows in (
            Delivery.objects.filter(subscription__in=deleted),
            HeldNotice.objects.filter(subscription__in=deleted),
        )
    )


def end_waiting(*, now: datetime, keep: timedelta) -> int:
    """End deliveries that waited longer than `keep` for an agent or for an enabled subscription; the number ended.

    Deliveries that the broker itself can send are not ended, even if no worker ran for a long time.
    """
    ended = 0
    waiting = Delivery.objects.visible().filter(
        Q(audience__isnull=False) | Q(subscription__enabled=False),
        # Acquired deliveries too: their lease ended that long ago, and nobody has taken them since.
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
