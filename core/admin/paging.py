"""Pages of a table that is no list of the admin."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

# Django's class takes a parameter for the type checker only.
if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

PER_PAGE = 50


class _Counted(_Paginator):
    """The number of rows is known already."""

    count = 0


def page_of(request: HttpRequest, rows: QuerySet[Any], *, count: int) -> "Page[Any]":
    """The page that `?page=` asks for, the nearest there is; `count` is the number of all rows."""
    pages = _Counted(rows, PER_PAGE)
    pages.count = count
    return pages.get_page(request.GET.get("page"))


def query_without(request: HttpRequest, *names: str) -> str:
    """The present query without these, to append one of them to."""
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return f"{query.urlencode()}&" if query else ""
