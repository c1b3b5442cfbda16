"""Filters of lists: those by a typed value, and those that a higher app adds to the list of a lower one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    _TextFilter = admin.SimpleListFilter
else:
    from unfold.contrib.filters.admin import TextFilter as _TextFilter


class TypedFilter(_TextFilter):
    """The rows that have exactly what the user types in `column`.

    To offer a list of values instead, the database would have to read the whole table.
    """

    column: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        typed = (self.value() or "").strip()
        return self.rows_with(queryset, typed) if typed else queryset

    def rows_with(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
        return rows.filter(**{self.column: typed})


class LabelFilter(TypedFilter):
    """The rows that carry exactly this label."""

    title = "label"
    parameter_name = "label"
    column = "labels__label"


@dataclass(frozen=True, slots=True)
class _Added:
    # As `list_filter` takes it.
    filter: Any
    permission: str


_added: dict[type[Model], list[_Added]] = {}


def register_filter(model: type[Model], list_filter: Any, permission: str) -> None:
    """Add a filter to the model's list, for users with `permission`. Called in `<app>/admin`."""
    _added.setdefault(model, []).append(_Added(list_filter, permission))


def filters_of(request: HttpRequest, model: type[Model]) -> Sequence[Any]:
    """The added filters that the user may use."""
    return [each.filter for each in _added.get(model, ()) if request.user.has_perm(each.permission)]
