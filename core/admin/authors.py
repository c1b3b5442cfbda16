"""Finds the author of a change, for pages of apps that may not import the audit log.

The audit log registers here how it finds authors.
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


# Takes an event kind and resource ids; returns the author of each resource, in a fixed number of queries.
Lookup = Callable[[str, Iterable[UUID]], dict[UUID, Author]]
_lookups: list[Lookup] = []


def register_authors(lookup: Lookup) -> None:
    _lookups.append(lookup)


def authors_of(kind: str, resource_ids: Iterable[UUID]) -> dict[UUID, Author]:
    """The author of the event of this kind about each resource. Resources without a known author are missing."""
    wanted = list(resource_ids)
    return {key: author for lookup in _lookups for key, author in lookup(kind, wanted).items()}
