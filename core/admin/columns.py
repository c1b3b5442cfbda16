"""Columns of a list that a higher app fills, because a lower app may not import a higher one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

# Takes the rows of a page and returns what the column says of each, by primary key.
Cells = Callable[[Sequence[Any]], Mapping[Any, SafeString]]


@dataclass(frozen=True, slots=True)
class Column:
    """`permission`, spelled `app.verb_model`, is needed to see it."""

    name: str
    title: str
    cells: Cells
    permission: str


_columns: dict[type[Model], list[Column]] = {}


def register_column(model: type[Model], name: str, title: str, cells: Cells, permission: str) -> None:
    """Add a column behind the first one of the model's list. Called in `<app>/admin`."""
    _columns.setdefault(model, []).append(Column(name, title, cells, permission))


def columns_of(model: type[Model]) -> Sequence[Column]:
    return _columns.get(model, ())


def fill_columns(request: HttpRequest, model: type[Model], rows: Sequence[Any]) -> list[Column]:
    """Look up what the columns that the user may see say of all these rows, and return the columns."""
    shown = [column for column in columns_of(model) if request.user.has_perm(column.permission)]
    for column in shown:
        cells = column.cells(rows)
        for row in rows:
            setattr(row, f"{column.name}_cell", cells.get(row.pk))
    return shown


def displays_of(request: HttpRequest, model: type[Model]) -> list[Callable[[Any], SafeString | None]]:
    """The columns that the user may see as a list of the admin takes them."""
    return [_display(column) for column in columns_of(model) if request.user.has_perm(column.permission)]


def _display(column: Column) -> Callable[[Any], SafeString | None]:
    def cell(row: Any) -> SafeString | None:
        found: SafeString | None = getattr(row, f"{column.name}_cell")
        return found

    cell.__name__ = column.name
    return admin.display(description=column.title)(cell)
