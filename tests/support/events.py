"""The side effects that a test can check: emitted events and rows of the audit log."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet

from audit.event_kinds import AuditEventKind
from audit.models import AuditLog
from core.events import Event, event_emitted
from webhooks.event_types import published_name

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@contextmanager
def recorded_events() -> Iterator[list[Event]]:
    """The events that are emitted inside the block, in order."""
    events: list[Event] = []

    def remember(**kwargs: Any) -> None:
        events.extend(kwargs["events"])

    event_emitted.connect(remember)
    try:
        yield events
    finally:
        event_emitted.disconnect(remember)


def notices(events: list[Event]) -> list[tuple[str, dict[str, object]]]:
    """The notices of the events: event types of the published list, with their data."""
    return [(published_name(event.kind), dict(event.data)) for event in events if event.data is not None]


def audited_changes() -> QuerySet[AuditLog]:
    """The rows of the audit log but those about attempts that were refused, which change nothing."""
    return AuditLog.objects.exclude(action=AuditEventKind.ATTEMPT_REFUSED)


@contextmanager
def recorded_audit() -> Iterator[list[AuditLog]]:
    """The rows about changes that the block adds to the audit log, oldest first; refused attempts change nothing.

    The list is filled when the block ends.
    """
    newest = AuditLog.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    rows: list[AuditLog] = []
    yield rows
    rows.extend(audited_changes().filter(sequence__gt=newest).order_by("sequence"))


def is_wire_time(text: object) -> bool:
    """Whether `text` is a time as the API writes it: UTC, microseconds, `Z`."""
    return isinstance(text, str) and bool(_TIME.fullmatch(text))
