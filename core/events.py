"""Events: a service says once what happened. `emit` calls every listener inside the transaction of the change.

Event kinds are past tense, `<noun>.<what happened>`; docs/reference/events.md lists them.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.dispatch import Signal
from django.utils import timezone
from uuid_utils.compat import uuid7


class ActorType(StrEnum):
    ADMIN = "admin"
    AGENT = "agent"
    GENERATOR = "generator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change, and where it came from. `label` names a key, an admin-site user or a command."""

    type: ActorType
    id: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
    label: str = ""
    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str = ""


SYSTEM = Actor(type=ActorType.SYSTEM)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `details` goes into the audit row. `audited=False` writes no row; it is for mass traffic, such as reports.
    `notice` and `payload` are the type and the data for webhooks, for events that webhooks hear of. `notice` differs
    from `kind` where the published name does.
    """

    kind: str
    resource_type: str
    resource_id: uuid.UUID | None
    actor: Actor
    details: Mapping[str, object] | None = None
    audited: bool = True
    notice: str | None = None
    payload: Mapping[str, object] | None = None
    id: uuid.UUID = field(default_factory=uuid7)
    at: datetime = field(default_factory=timezone.now)


# Argument: events, a sequence.
event_emitted = Signal()


def with_via(details: Mapping[str, object], via: str | None) -> dict[str, object]:
    """The details, with the way in which the change came, such as "cli", when the actor has one."""
    return {**details, "via": via} if via else dict(details)


def emit(*events: Event) -> None:
    """Call every listener, at once. A listener that raises rolls the whole change back.

    Pass all events of one change in one call: each listener then needs no more statements than for one event.
    """
    event_emitted.send(sender=Event, events=events)
