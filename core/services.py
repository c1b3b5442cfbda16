"""Upkeep of what core itself stores."""

from datetime import timedelta

from django.utils import timezone

from core.models import IdempotentAnswer

ANSWERS_KEPT_FOR = timedelta(hours=24)


def forget_old_answers() -> int:
    """Delete the answers that may no longer be replayed; the number deleted."""
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - ANSWERS_KEPT_FOR).delete()
    return deleted
