"""What can happen to keys."""

from core.events import EventKind


class PakEventKind(EventKind):
    AUTH_FAILED = "auth.failed"
    PAK_CREATED = "pak.created"
    PAK_REVOKED = "pak.revoked"
    PAK_ROTATED = "pak.rotated"
