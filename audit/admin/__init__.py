"""The operators' pages of the audit log and of its seals."""

from audit.admin.entries import AuditLogAdmin
from audit.admin.seals import AuditSealAdmin

__all__ = ["AuditLogAdmin", "AuditSealAdmin"]
