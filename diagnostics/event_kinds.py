"""The kinds of events about diagnostic requests."""

from core.events import EventKind


class DiagnosticEventKind(EventKind):
    DIAGNOSTIC_CLAIMED = "diagnostic.claimed"
    DIAGNOSTIC_COMPLETED = "diagnostic.completed"
    DIAGNOSTIC_EXPIRED = "diagnostic.expired"
    DIAGNOSTIC_FAILED = "diagnostic.failed"
    DIAGNOSTIC_REQUESTED = "diagnostic.requested"
