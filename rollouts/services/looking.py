"""Making the worker look at rollouts sooner than it would."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from rollouts.models import Rollout


def look_again_after_commit(which: Q, *, now: datetime) -> None:
    """The rollouts for which the condition holds are due, once the transaction is over.

    Not inside of it: a report holds its agent, and may not wait for a rollout.
    """
    transaction.on_commit(partial(_look_again, which, now))


def _look_again(which: Q, now: datetime) -> None:
    later = Rollout.objects.moving().filter(next_look_at__gt=now)
    # Asked first: mostly there are none, and on SQLite a write that finds no row still waits for all others.
    ids = list(later.filter(which).values_list("pk", flat=True))
    if ids:
        later.filter(pk__in=ids).update(next_look_at=now)
