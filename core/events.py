"""What happened, said once. `emit` tells everybody who listens, inside the transaction of the change.

Event kinds are past tense, `<noun>.<what happened>`; docs/reference/events.md lists them.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.dispatch import Signal
from django.utils import timezone
from uuid_utils.compat import uuid7


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change, and from where.

    `type` is a value of `paks.actors.ActorType`; `label` names a key, an admin-site user or a command.
    """

    type: str
    id: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
    label: str = ""
    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str = ""


# The types of the authors that core itself knows.
ADMIN_TYPE = "admin"
SYSTEM_TYPE = "system"
SYSTEM = Actor(type=SYSTEM_TYPE)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `details` is what the audit row says; `audited=False` keeps mass traffic out of it.
    `notice` and `payload` are the published event type and its data, for the events the world is told of;
    the type differs from `kind` where the published names do.
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
    """The details, and by which door the change came in when that is to be remembered ("cli")."""
    return {**details, "via": via} if via else dict(details)


def emit(*events: Event) -> None:
    """Tell the listeners. Synchronous: a listener that fails rolls the whole change back.

    Events of one change that are told together cost each listener no more statements than one event.
    """
    event_emitted.send(sender=Event, events=events)
