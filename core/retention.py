"""Deleting what is older than a setting allows, without ever holding a transaction for long."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

STEP = 1_000
# What one run of a job deletes at most: the worker has other jobs, and the next run goes on.
MAX_STEPS = 50


def delete_in_steps(rows: QuerySet[Any]) -> int:
    """Delete the rows, in their order, in transactions of at most STEP; the number deleted.

    The order is one that an index has, so that a step reads no more than it deletes. After MAX_STEPS it stops, and the
    next call goes on. Safe in several workers at once: each passes over what another is deleting.
    """
    deleted = 0
    for _ in range(MAX_STEPS):
        with transaction.atomic():
            step = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:STEP])
            rows.model._default_manager.filter(pk__in=step).delete()
        deleted += len(step)
        if len(step) < STEP:
            break
    return deleted
