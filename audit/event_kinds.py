"""What can happen to the audit log itself, and attempts that were refused."""

from core.events import EventKind


class AuditEventKind(EventKind):
    AUDIT_ERASED = "audit.erased"
    AUDIT_EXPIRED = "audit.expired"
    AUDIT_RESTORED = "audit.restored"
    AUDIT_SEALED = "audit.sealed"
    AUDIT_VERIFIED = "audit.verified"
    ATTEMPT_REFUSED = "attempt.refused"
