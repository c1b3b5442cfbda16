"""The side effects that a test can check: emitted events and rows of the audit log."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


@contextmanager
def recorded_audit() -> Iterator[list[AuditLog]]:
    """The rows that the block adds to the audit log, oldest first. The list is filled when the block ends."""
    newest = AuditLog.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    rows: list[AuditLog] = []
    yield rows
    rows.extend(AuditLog.objects.filter(sequence__gt=newest).order_by("sequence"))


def is_wire_time(text: object) -> bool:
    """Whether `text` is a time as the API writes it: UTC, microseconds, `Z`."""
    return isinstance(text, str) and bool(_TIME.fullmatch(text))
