"""Events become deliveries, in the transaction of the change."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.events import Event
from webhooks.event_types import EVENT_TYPES, patterns_for, published_name
from webhooks.models import Delivery, EventPattern
from webhooks.payloads import render

_DELIVERED = frozenset(EVENT_TYPES)


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
    rows = EventPattern.objects.filter(
        pattern__in=patterns, subscription__enabled=True, subscription__deleted_at__isnull=True
    ).values_list(
        "pattern",
        "subscription_id",
        "subscription__audience_id",
        "subscription__filter_agent_id",
        "subscription__filter_stack_id",
    )
    listeners: dict[str, set[_Listener]] = defaultdict(set)
    # Without the model's own order, which matters only to readers of one subscription.
    for pattern, subscription_id, audience_id, agent_id, stack_id in rows.order_by():
        listeners[pattern].add(_Listener(subscription_id, audience_id, agent_id, stack_id))
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
