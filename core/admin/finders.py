"""What the search of the admin finds. Each app registers how its rows are found, in `<app>/admin`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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


_finders: list[Finder] = []


def register_finder(title: str, find: Find, permission: str) -> None:
    """Add a group of results. Groups are shown in the order of registration, which is that of INSTALLED_APPS."""
    _finders.append(Finder(title, find, permission))


def finders() -> Sequence[Finder]:
    return _finders
