"""Deletes old rows of core's own tables."""

from datetime import timedelta

from core import clock
from core.models import IdempotentAnswer, RateBucket
from core.retention import delete_in_steps

ANSWERS_KEPT_FOR = timedelta(hours=24)


def forget_old_answers() -> int:
    """Delete the answers that may no longer be replayed. Returns their number."""
    old = IdempotentAnswer.objects.filter(created_at__lt=clock.now() - ANSWERS_KEPT_FOR)
    return delete_in_steps(old.order_by("created_at", "id"))


def forget_full_buckets() -> int:
    """Delete the buckets that are full, because no row means a full bucket. Returns their number."""
    deleted, _ = RateBucket.objects.filter(full_at__lt=clock.now().timestamp()).delete()
    return deleted
