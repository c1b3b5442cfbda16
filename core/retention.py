"""Deletes rows that are older than a setting allows, in short transactions."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

STEP = 1_000
# The most steps of one run: the worker has other jobs, and the next run goes on.
MAX_STEPS = 50


def delete_in_steps(rows: QuerySet[Any]) -> int:
    """Delete the rows, in their order, in transactions of at most STEP rows. Returns the number deleted.

    The order must be that of an index, so that a step reads no more rows than it deletes. After MAX_STEPS it stops, and
    the next call goes on. Safe in several workers at once: each skips the rows that another is deleting.
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
