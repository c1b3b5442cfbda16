"""The mark that workers leave in the database while they run."""

from datetime import datetime

from config.models import WorkerMark


def renew_mark(*, now: datetime) -> None:
    """Note that a worker runs."""
    WorkerMark.objects.update_or_create(pk=1, defaults={"seen_at": now})


def seconds_since_worker(*, now: datetime) -> float | None:
    """Since the latest sign of any worker; None when there never was one."""
    seen_at = WorkerMark.objects.values_list("seen_at", flat=True).first()
    return None if seen_at is None else max(0.0, (now - seen_at).total_seconds())
