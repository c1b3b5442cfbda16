"""The names of keys' owners. Keys know only ids; the apps above tell here how an id becomes a name."""

from collections.abc import Callable, Iterable
from uuid import UUID

from paks.models import Role

Names = Callable[[Iterable[UUID]], dict[UUID, str]]
_names: dict[Role, Names] = {}


def register_names(role: Role, names: Names) -> None:
    """Say how the ids of `role`'s owners become names, deleted owners included."""
    _names[role] = names


def subject_names(role: str, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of the owners that are known, in one query."""
    wanted = set(ids)
    lookup = _names.get(Role(role))
    return lookup(wanted) if lookup and wanted else {}
