"""What admins and people of the admin site tried, and may not."""

from django.core.cache import cache
from django.db import transaction

from audit.event_kinds import AuditEventKind
from core.events import Actor, Event, emit

# One row a minute for each author and endpoint is enough to show that somebody tries.
_SILENCE_SECONDS = 60


def note_refusal(*, actor: Actor, method: str, endpoint: str, code: str) -> bool:
    """Write a row about an attempt that was refused, in a transaction of its own; whether one was due.

    `endpoint` is the route, of which there are few, and not the path, which may hold anything.
    """
    author = actor.key_id or actor.label
    if not cache.add(f"attempt-refused:{author}:{method}:{endpoint}", 1, _SILENCE_SECONDS):
        return False
    with transaction.atomic():
        emit(
            Event(
                kind=AuditEventKind.ATTEMPT_REFUSED,
                resource_type="system",
                resource_id=None,
                actor=actor,
                details={"method": method, "endpoint": endpoint, "code": code},
            )
        )
    return True
