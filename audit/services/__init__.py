"""The log's upkeep: sealing, retention, verification, erasure. Its rows are written by the receiver."""

from audit.services.erasure import erase
from audit.services.refusals import note_refusal
from audit.services.restoring import open_new_chain
from audit.services.retention import delete_old_entries
from audit.services.sealing import seal_new_entries
from audit.services.verification import Finding, Outcome, Why, verify_chain, verify_range
from audit.services.whole_verifications import request_verification, run_verifications

__all__ = [
    "Finding",
    "Outcome",
    "Why",
    "delete_old_entries",
    "erase",
    "note_refusal",
    "open_new_chain",
    "request_verification",
    "run_verifications",
    "seal_new_entries",
    "verify_chain",
    "verify_range",
]
