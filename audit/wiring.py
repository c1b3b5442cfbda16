"""What the audit log tells the apps below: who made a row, and where its history is."""

from audit.authors import authors
from core.admin.authors import register_authors
from core.admin.history import History, register_history

register_authors(authors)
register_history(History("admin:audit_auditlog_changelist", "audit.view_auditlog"))
