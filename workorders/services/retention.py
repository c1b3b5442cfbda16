"""How long the log of finished work orders is kept."""

from datetime import datetime, timedelta

from django.conf import settings

from core.retention import delete_in_steps
from workorders.models import WorkOrderLogEntry


def delete_old_log_entries(*, now: datetime) -> int:
    """Delete entries of orders that ended longer ago than the setting says; the number deleted."""
    if not settings.WORK_ORDER_LOG_RETENTION_DAYS:
        return 0
    kept_since = now - timedelta(days=settings.WORK_ORDER_LOG_RETENTION_DAYS)
    old = WorkOrderLogEntry.objects.filter(completed_at__lt=kept_since)
    return delete_in_steps(old.order_by("completed_at", "id"))
