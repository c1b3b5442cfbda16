"""A sealed audit log for tests: rows of every kind, in several seals."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest import mock
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.event_kinds import AuditEventKind
from audit.models import AuditLog, AuditSeal
from audit.services import seal_new_entries
from core.events import Actor, Event, emit

PERSON = "astrid"
ADDRESS = "203.0.113.77"


def write_entry(number: int = 0, *, at: datetime | None = None, **fields: Any) -> UUID:
    """One row of the log, with something in each column; its id."""
    # Any kind: the log keeps what it is given.
    event = Event(
        **{
            "kind": AuditEventKind.AUDIT_VERIFIED,
            "resource_type": "stack",
            "resource_id": uuid7(),
            "actor": Actor(
                type="admin", label=PERSON, ip_address=ADDRESS, user_agent="curl/8", request_id=f"r{number}"
            ),
            "details": {
                "number": number,
                "ratio": number + 0.5,
                "word": "ø",
                "deep": [None, {"b": 1, "a": 2}],
            },
            "before": {"name": f"old {number}"},
            "after": {"name": f"new {number}"},
            "reason": "because",
            "at": at or timezone.now(),
            **fields,
        }
    )
    emit(event)
    return event.id


def seal_entries(count: int, *, at: datetime | None = None) -> AuditSeal:
    """A new seal over so many new rows."""
    for number in range(count):
        write_entry(number, at=at)
    assert seal_new_entries(now=timezone.now()) == 1
    return AuditSeal.objects.order_by("-number")[0]


def make_sealed_log(seals: int, entries: int) -> list[AuditSeal]:
    """So many seals of so many rows each, in a log that had none."""
    AuditLog.objects.all().delete()
    return [seal_entries(entries) for _ in range(seals)]


@contextmanager
def small_seals(entries: int) -> Iterator[None]:
    """Seals hold no more than so many rows."""
    with mock.patch("audit.services.sealing.MOST_ENTRIES", entries):
        yield
