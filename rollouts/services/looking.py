"""Making the worker look at rollouts earlier than planned."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from rollouts.models import Rollout


def look_again_after_commit(which: Q, *, now: datetime) -> None:
    """Make the rollouts that meet the condition due, after the transaction.

    It is not done inside the transaction, because a report locks its agent and must not wait for a rollout.
    """
    transaction.on_commit(partial(_look_again, which, now))


def _look_again(which: Q, now: datetime) -> None:
    later = Rollout.objects.moving().filter(next_look_at__gt=now)
    # Read before writing: mostly there are none, and on SQLite even a write that changes no row waits for other writes.
    ids = list(later.filter(which).values_list("pk", flat=True))
    if ids:
        later.filter(pk__in=ids).update(next_look_at=now)
