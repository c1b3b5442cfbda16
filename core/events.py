"""Events: a service says once what happened. `emit` calls every listener inside the transaction of the change.

Each app names the kinds of its events in `<app>/event_kinds.py`; docs/reference/events.md lists them all.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.dispatch import Signal
from uuid_utils.compat import uuid7

from core import clock


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change, and from where.

    `type` is a value of `paks.actors.ActorType`; `label` names a key, an admin-site user or a command. `reason` is why,
    in the actor's own words, if he was asked.
    """

    type: str
    id: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
    label: str = ""
    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str = ""
    reason: str = ""


# The types of the authors that core itself knows.
ADMIN_TYPE = "admin"
SYSTEM_TYPE = "system"
SYSTEM = Actor(type=SYSTEM_TYPE)


class EventKind(StrEnum):
    """The base of each app's kinds of events: `<noun>.<what happened>`, in the past tense."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `details` is what the audit row says; `audited=False` keeps mass traffic out of it.
    `data` is what the world outside is told, None when it is told nothing. It may hold ids and times as they are;
    the two differ because what is published is a promise to subscribers, and what is audited is for operators.
    `before` and `after` are the fields that changed, as JSON: `before` is None for what is new, `after` for what is
    gone. What is secret is in them as `core.crypto.keyed_digest` gives it. `reason` is why, in the words of whoever
    did it.
    """

    kind: EventKind
    resource_type: str
    resource_id: uuid.UUID | None
    actor: Actor
    details: Mapping[str, object] | None = None
    audited: bool = True
    data: Mapping[str, object] | None = None
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    reason: str = ""
    id: uuid.UUID = field(default_factory=uuid7)
    at: datetime = field(default_factory=clock.now)


@dataclass(slots=True)
class Hearing:
    """What the listeners of one `emit` find out for each other: whether the world outside is told nothing."""

    by_nobody: bool = False


# Arguments: events, a sequence; hearing.
event_emitted = Signal()

# Whether anybody outside hears of the events, as an expression in SQL with its parameters; empty if nobody can.
Question = Callable[[Sequence[Event]], tuple[str, Mapping[str, object]]]
_questions: list[Question] = []


def register_question_of_hearing(question: Question) -> None:
    """Who writes rows of all events asks it with the same statement, so that what nobody hears costs no look-up.

    Called once, in `<app>/wiring.py` of the app that tells the world outside.
    """
    _questions[:] = [question]


def question_of_hearing(events: Sequence[Event]) -> tuple[str, Mapping[str, object]]:
    """The question, as `core.prepared_rows.insert` answers it."""
    return _questions[0](events) if _questions else ("", {})


def fields_of(row: object, names: Iterable[str]) -> dict[str, object]:
    """The values of these fields as JSON: ids and times as text."""
    return {name: _plain(getattr(row, name)) for name in names}


def changed_fields(row: object, changes: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The values, before and after, of what the changes will make different. Call it before applying them."""
    before = fields_of(row, changes)
    after = {name: _plain(value) for name, value in changes.items()}
    differing = [name for name in changes if before[name] != after[name]]
    return {name: before[name] for name in differing}, {name: after[name] for name in differing}


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | list | dict | None) else str(value)


def with_via(details: Mapping[str, object], via: str | None) -> dict[str, object]:
    """The details, with the way in which the change came, such as "cli", when the actor has one."""
    return {**details, "via": via} if via else dict(details)


def emit(*events: Event) -> None:
    """Call every listener, at once. A listener that raises rolls the whole change back.

    Pass all events of one change in one call: each listener then needs no more statements than for one event.
    """
    event_emitted.send(sender=Event, events=events, hearing=Hearing())
