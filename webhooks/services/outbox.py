"""Makes deliveries of events, in the transaction of the change."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from core.events import Event
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter
from webhooks.bodies import render_in
from webhooks.event_types import EVENT_TYPES, patterns_for, published_name
from webhooks.formats import Format
from webhooks.models import Delivery, HeldNotice
from webhooks.names import names_for
from webhooks.notices import Names

_DELIVERED = frozenset(EVENT_TYPES)
# A prepared statement, because every change runs it.
_LISTENING = """
FROM webhook_event_patterns p JOIN webhook_subscriptions s ON s.id = p.subscription_id
WHERE {among} AND s.enabled AND s.deleted_at IS NULL
"""
_LISTENERS = f"""
SELECT p.pattern, s.max_deliveries_per_minute IS NOT NULL, s.format, s.id, s.audience_id, s.filter_agent_id,
    s.filter_stack_id {_LISTENING}
"""
_IS_ANY_LISTENING = f"EXISTS (SELECT 1 {_LISTENING})"


@dataclass(frozen=True, slots=True)
class _Listener:
    """What the outbox needs to know of a subscription."""

    is_limited: bool
    format: Format
    subscription_id: UUID
    audience_id: UUID | None
    agent_id: UUID | None
    stack_id: UUID | None

    def hears(self, data: Mapping[str, object]) -> bool:
        """Whether every filter that is set equals the field of its name. A missing field equals nothing."""
        return all(
            wanted is None or str(data.get(name)) == str(wanted)
            for name, wanted in (("agent_id", self.agent_id), ("stack_id", self.stack_id))
        )


def write_deliveries(events: Sequence[Event]) -> int:
    """Write a pending delivery for each event and each enabled subscription that hears of it; the number written.

    A subscription with a limit gets a held notice instead; `webhooks.services.limits` makes deliveries of them.

    One statement finds the subscriptions for any number of events. Each of the two kinds of rows, if there are any, is
    written by one more.
    """
    told = _with_notice(events)
    if not told:
        return 0
    listeners = _listeners(_patterns_for(told))
    if not listeners:
        return 0
    heard = [(event, _told(event, listeners)) for event in told]
    names = names_for(event.data or {} for event, asked in heard if any(map(_is_for_people, asked)))
    rows = [row for event, asked in heard for row in _rows(event, asked, names)]
    if deliveries := [row for row in rows if isinstance(row, Delivery)]:
        Delivery.objects.bulk_create(deliveries)
    if held := [row for row in rows if isinstance(row, HeldNotice)]:
        HeldNotice.objects.bulk_create(held)
    return len(rows)


def question_of_listeners(events: Sequence[Event]) -> tuple[str, Mapping[str, object]]:
    """Whether any enabled subscription asks for one of the events, as an expression in SQL with its parameters; empty
    if no event has a notice.
    """
    patterns = _patterns_for(_with_notice(events))
    if not patterns:
        return "", {}
    return _IS_ANY_LISTENING.format(among=among("p.pattern", "patterns")), {
        "patterns": list_parameter(patterns)
    }


def _with_notice(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.data is not None and published_name(event.kind) in _DELIVERED]


def _patterns_for(told: Sequence[Event]) -> set[str]:
    return {pattern for event in told for pattern in patterns_for(published_name(event.kind))}


def _listeners(patterns: set[str]) -> dict[str, set[_Listener]]:
    """The subscriptions that ask for each of the patterns."""
    sql = _LISTENERS.format(among=among("p.pattern", "patterns"))
    listeners: dict[str, set[_Listener]] = defaultdict(set)
    for pattern, is_limited, format_name, *ids in fetch_all(sql, {"patterns": list_parameter(patterns)}):
        subscription_id, *filters = (None if value is None else as_uuid(value) for value in ids)
        listener = _Listener(bool(is_limited), Format(format_name), cast(UUID, subscription_id), *filters)
        listeners[pattern].add(listener)
    return listeners


def _told(event: Event, listeners: Mapping[str, set[_Listener]]) -> list[_Listener]:
    """The subscriptions that hear of the event."""
    patterns = patterns_for(published_name(event.kind))
    # A subscription with several matching patterns gets one delivery.
    asked = set[_Listener]().union(*(listeners.get(pattern, ()) for pattern in patterns))
    return [listener for listener in asked if listener.hears(event.data or {})]


def _is_for_people(listener: _Listener) -> bool:
    return listener.format != Format.STANDARD


def _rows(event: Event, told: Sequence[_Listener], names: Names) -> Iterator[Delivery | HeldNotice]:
    event_type = published_name(event.kind)
    payloads = {
        each: render_in(
            each,
            event_id=event.id,
            event_type=event_type,
            at=event.at,
            data=event.data or {},
            names=names,
        )
        for each in {listener.format for listener in told}
    }
    for listener in told:
        values: dict[str, Any] = {
            "format": listener.format.value,
            "subscription_id": listener.subscription_id,
            "audience_id": listener.audience_id,
            "event_type": event_type,
            "event_id": event.id,
            "payload": payloads[listener.format],
            "created_at": event.at,
        }
        yield HeldNotice(**values) if listener.is_limited else Delivery(**values, due_at=event.at)
