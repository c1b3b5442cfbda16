"""Named filters over the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Left

if TYPE_CHECKING:
    from audit.models import AuditLog


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    def with_action(self, pattern: str) -> Self:
        """Rows of one action, or of all that begin with `pattern` when it ends in `*`."""
        prefix = pattern.removesuffix("*")
        if prefix == pattern:
            return self.filter(action=pattern)
        # Not `startswith`, which SQLite answers without regard to case.
        return self.alias(start=Left("action", len(prefix))).filter(start=prefix) if prefix else self.all()
