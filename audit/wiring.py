"""What the audit log tells the apps below: who made a row, where its history is, and what it lacks."""

from audit import installation_checks
from audit.authors import authors
from core.admin.authors import register_authors
from core.admin.history import History, register_history

__all__ = ["installation_checks"]

register_authors(authors)
register_history(History("admin:audit_auditlog_changelist", "audit.view_auditlog"))
