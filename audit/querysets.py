"""The vocabulary of the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from audit.models import AuditLog


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    def with_action(self, pattern: str) -> Self:
        """Rows of one action, or of all that begin with `pattern` when it ends in `*`."""
        if pattern.endswith("*"):
            return self.filter(action__startswith=pattern[:-1])
        return self.filter(action=pattern)
