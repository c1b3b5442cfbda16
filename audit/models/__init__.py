"""The audit log, its seals, the keys that sign them, and verifications of the whole."""

from audit.models.entry import AuditLog
from audit.models.seal import AuditKey, AuditSeal, SealingState
from audit.models.verification import AuditVerification

__all__ = ["AuditKey", "AuditLog", "AuditSeal", "AuditVerification", "SealingState"]
