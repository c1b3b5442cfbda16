"""The filters that are set on a list, in words, each with the address of the list without it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from django.contrib.admin import ListFilter, RelatedFieldListFilter
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest, QueryDict

if TYPE_CHECKING:
    from core.admin.lists import PreparedChangeList


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter: what it filters by, what it lets through, and the address of the list without it."""

    title: str
    value: str
    url: str


@runtime_checkable
class Worded(Protocol):
    """A filter that says by itself what it lets through."""

    def words(self) -> str: ...


def chip(query: QueryDict, title: str, value: str, parameters: Iterable[str]) -> Chip:
    """The chip of a filter that is set by these parameters of the query."""
    rest = query.copy()
    for name in (*parameters, PAGE_VAR, "page"):
        rest.pop(name, None)
    return Chip(title, value, f"?{rest.urlencode()}")


def chips_of(request: HttpRequest, changelist: "PreparedChangeList") -> list[Chip]:
    """The chips of a list of the admin. One query for each filter by another row."""
    found = []
    if changelist.query:
        found.append(chip(request.GET, "search", changelist.query, [SEARCH_VAR]))
    for spec in changelist.filter_specs:
        set_by = [name for name in spec.expected_parameters() if name and request.GET.get(name)]
        if set_by:
            words = _words(spec, changelist, request.GET.get(set_by[0], ""))
            found.append(chip(request.GET, str(spec.title), words, set_by))
    # What only links set, and no filter of the list is for.
    found += [
        chip(request.GET, name.replace("__", " "), request.GET.get(name, ""), [name])
        for name in changelist.other_filters
    ]
    return found


def _words(spec: ListFilter, changelist: Any, value: str) -> str:
    if isinstance(spec, Worded):
        return spec.words()
    chosen = [str(each["display"]) for each in spec.choices(changelist) if each.get("selected")]
    if chosen:
        return ", ".join(chosen)
    if not isinstance(spec, RelatedFieldListFilter):
        return value
    model: Any = spec.field.related_model
    row = model._default_manager.filter(pk=value).first()
    return value if row is None else str(row)
