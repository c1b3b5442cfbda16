"""Why something about the sealed log is refused."""

from core.errors import Conflict, InternalError, Invalid, NotFound


class SigningKeyMissing(InternalError):
    code = "audit_signing_key_missing"
    message = "No key to sign the audit log with is configured: set BROKKR_AUDIT_SIGNING_KEY."


class SigningKeyNotEndorsed(Conflict):
    code = "audit_signing_key_not_endorsed"
    message = (
        "The key that signs the audit log has changed, and the key before it is not there to sign it: put it behind "
        "the new one in BROKKR_AUDIT_SIGNING_KEY. If it is lost, `manage.py audit_restored` begins a new chain."
    )


class RangeTooLarge(Invalid):
    code = "audit_range_too_large"
    message = (
        "At most 100 seals with 20,000 entries are verified at once. Ask for fewer, or for the whole log."
    )


class VerificationNotFound(NotFound):
    code = "audit_verification_not_found"
    message = "There is no such verification."


class InvalidHash(Invalid):
    code = "invalid_hash"
    message = "A seal's hash has 64 hex digits."


class ErasureReasonRequired(Invalid):
    code = "audit_erasure_reason_required"
    message = "What is erased is gone for ever: say why."
