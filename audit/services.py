"""Upkeep of the audit log. Its rows are written by the receiver and never changed."""

from datetime import datetime, timedelta

from django.conf import settings

from audit.models import AuditLog
from core.retention import delete_in_steps


def delete_old_entries(*, now: datetime) -> int:
    """Delete the rows that are older than the setting allows. Returns their number."""
    if not settings.AUDIT_LOG_RETENTION_DAYS:
        return 0
    kept_since = now - timedelta(days=settings.AUDIT_LOG_RETENTION_DAYS)
    old = AuditLog.objects.filter(timestamp__lt=kept_since)
    return delete_in_steps(old.order_by("timestamp", "sequence"))
