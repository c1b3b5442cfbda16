"""Upkeep of what core itself stores."""

import time
from datetime import timedelta

from django.utils import timezone

from core.models import IdempotentAnswer, RateBucket

ANSWERS_KEPT_FOR = timedelta(hours=24)


def forget_old_answers() -> int:
    """Delete the answers that may no longer be replayed; the number deleted."""
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - ANSWERS_KEPT_FOR).delete()
    return deleted


def forget_full_buckets() -> int:
    """Delete the buckets that are full, which is what no bucket means; the number deleted."""
    deleted, _ = RateBucket.objects.filter(full_at__lt=time.time()).delete()
    return deleted
