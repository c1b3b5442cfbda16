"""What the search of the admin finds. Each app registers how its rows are found, in `<app>/admin`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from core.admin.values import whole_number

# How many are shown of each kind.
HITS_SHOWN = 6
# A shorter text would match nearly everything.
MIN_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: what it is called, a word more, and its page."""

    title: str
    note: str
    url: str


# Takes the text and how many hits are wanted at most. One or two queries, each bounded: it runs at every key.
Find = Callable[[str, int], Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class Finder:
    """`permission`, spelled `app.verb_model`, is needed to find them."""

    title: str
    find: Find
    permission: str


def is_id(text: str) -> Q | None:
    """The condition that a row has this id; None if the text is no id."""
    try:
        return Q(id=UUID(text))
    except ValueError:
        return None


def version_number(text: str) -> int | None:
    """The sequence id that the text names, like `#42` or `42`; None if it names none."""
    return whole_number(text.removeprefix("#"))


def around(message: str, text: str) -> str:
    """The part of the message that has the text in it, on one line."""
    at = max(0, message.casefold().find(text.casefold()) - 30)
    part = " ".join(message[at : at + 120].split())
    return f"…{part}" if at else part


_finders: list[Finder] = []


def register_finder(title: str, find: Find, permission: str) -> None:
    """Add a group of results. Groups are shown in the order of registration, which is that of INSTALLED_APPS."""
    _finders.append(Finder(title, find, permission))


def finders() -> Sequence[Finder]:
    return _finders
