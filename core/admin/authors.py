"""Who did something, for pages of apps that may not know the audit log.

The log sits beside the apps whose pages ask, so it registers here how an author is found.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Author:
    """`role` says what kind of author `name` is; `key` is the name of the key that was used."""

    role: str
    name: str = ""
    key: str = ""
    # What the author said about it.
    notes: str = ""

    @property
    def html(self) -> SafeString:
        name = self.name or self.role
        role = "" if name == self.role else f" ({self.role})"
        key = format_html("<br>key {}", self.key) if self.key else ""
        return format_html("{}{}{}", name, role, key)


# For the events of one kind, the author of each of these resources, in a fixed number of queries.
Lookup = Callable[[str, Iterable[UUID]], dict[UUID, Author]]
_lookups: list[Lookup] = []


def register_authors(lookup: Lookup) -> None:
    _lookups.append(lookup)


def authors_of(kind: str, resource_ids: Iterable[UUID]) -> dict[UUID, Author]:
    """Who caused the event of this kind about each resource; a resource is missing when that is not known."""
    wanted = list(resource_ids)
    return {key: author for lookup in _lookups for key, author in lookup(kind, wanted).items()}
