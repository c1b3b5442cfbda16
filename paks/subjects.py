"""The names of keys' owners. `paks` knows only ids; the apps above register here how to find the names."""

from collections.abc import Callable, Iterable
from uuid import UUID

from paks.models import Role

Names = Callable[[Iterable[UUID]], dict[UUID, str]]
_names: dict[Role, Names] = {}


def register_names(role: Role, names: Names) -> None:
    """Register the function that finds the names of `role`'s owners by id, deleted owners included."""
    _names[role] = names


def subject_names(role: str, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of the owners that are known, in one query."""
    wanted = set(ids)
    lookup = _names.get(Role(role))
    return lookup(wanted) if lookup and wanted else {}
