"""What can happen to keys."""

from core.events import EventKind


class PakEventKind(EventKind):
    AUTH_FAILED = "auth.failed"
    PAK_CREATED = "pak.created"
    PAK_END_ANNOUNCED = "pak.end_announced"
    PAK_EXPIRY_CHANGED = "pak.expiry_changed"
    PAK_REVOKED = "pak.revoked"
    PAK_ROTATED = "pak.rotated"
