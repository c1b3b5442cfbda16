"""Filters of lists: those of a label, and those that a higher app adds to the list of a lower one."""

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


class LabelFilter(_TextFilter):
    """The rows that carry exactly this label."""

    title = "label"
    parameter_name = "label"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        label = (self.value() or "").strip()
        return queryset.filter(labels__label=label) if label else queryset


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
