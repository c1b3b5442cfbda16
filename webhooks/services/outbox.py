"""Events become deliveries, in the transaction of the change."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from core.events import Event
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter
from webhooks.event_types import EVENT_TYPES, patterns_for, published_name
from webhooks.models import Delivery
from webhooks.payloads import render

_DELIVERED = frozenset(EVENT_TYPES)
# Every change asks it.
_LISTENERS = """
SELECT p.pattern, s.id, s.audience_id, s.filter_agent_id, s.filter_stack_id
FROM webhook_event_patterns p JOIN webhook_subscriptions s ON s.id = p.subscription_id
WHERE {among} AND s.enabled AND s.deleted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class _Listener:
    """What a subscription means for the emission of an event."""

    subscription_id: UUID
    audience_id: UUID | None
    agent_id: UUID | None
    stack_id: UUID | None

    def hears(self, data: Mapping[str, object]) -> bool:
        """Every filter that is set equals the field of its name; a field that is not there equals nothing."""
        return all(
            wanted is None or str(data.get(name)) == str(wanted)
            for name, wanted in (("agent_id", self.agent_id), ("stack_id", self.stack_id))
        )


def write_deliveries(events: Sequence[Event]) -> int:
    """One pending delivery for each event and each enabled subscription that hears of it; the number written.

    One statement asks who listens, however many events there are, and one more writes, if anybody does.
    """
    told = [event for event in events if event.data is not None and published_name(event.kind) in _DELIVERED]
    if not told:
        return 0
    listeners = _listeners(
        {pattern for event in told for pattern in patterns_for(published_name(event.kind))}
    )
    deliveries = (
        [delivery for event in told for delivery in _deliveries(event, listeners)] if listeners else []
    )
    if deliveries:
        Delivery.objects.bulk_create(deliveries)
    return len(deliveries)


def _listeners(patterns: set[str]) -> dict[str, set[_Listener]]:
    """Who asked for each of the patterns."""
    sql = _LISTENERS.format(among=among("p.pattern", "patterns"))
    listeners: dict[str, set[_Listener]] = defaultdict(set)
    for pattern, *ids in fetch_all(sql, {"patterns": list_parameter(patterns)}):
        subscription_id, *filters = (None if value is None else as_uuid(value) for value in ids)
        listeners[pattern].add(_Listener(cast(UUID, subscription_id), *filters))
    return listeners


def _deliveries(event: Event, listeners: Mapping[str, set[_Listener]]) -> Iterator[Delivery]:
    event_type, data = published_name(event.kind), event.data or {}
    # A subscription that asks by several patterns is told once.
    asked = set[_Listener]().union(*(listeners.get(pattern, ()) for pattern in patterns_for(event_type)))
    told = [listener for listener in asked if listener.hears(data)]
    if not told:
        return
    payload = render(event_id=event.id, event_type=event_type, at=event.at, data=data)
    for listener in told:
        yield Delivery(
            subscription_id=listener.subscription_id,
            audience_id=listener.audience_id,
            event_type=event_type,
            event_id=event.id,
            payload=payload,
            created_at=event.at,
            due_at=event.at,
        )
