"""The time that a question about the past is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from agents.wanted.past import known_since
from history.errors import WindowEmpty

_USUAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until before `until`."""

    since: datetime
    until: datetime


def span(since: datetime | None, until: datetime | None, *, now: datetime) -> Span:
    """The span that was asked for, within what is known. Without a beginning it is one day long.

    Raises WindowEmpty.
    """
    end, known = min(until or now, now), known_since(now)
    # First, because there may be no day before the end.
    if end <= known:
        raise WindowEmpty
    begin = max(since or end - _USUAL, known)
    if begin >= end:
        raise WindowEmpty
    return Span(begin, end)


def causes_known_since(now: datetime) -> datetime | None:
    """Earlier changes have lost their cause, because the audit log keeps its entries only so long. None: for ever."""
    days = settings.AUDIT_LOG_RETENTION_DAYS
    return now - timedelta(days=days) if days else None
