"""Lists: complete by default, or one page after another by `limit` and `cursor`."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import IntegerField, Model, Q, QuerySet
from django.http import HttpRequest
from rest_framework import serializers

from core.api.fields import QueryFlag, QueryNumber, QueryText
from core.errors import InvalidQuery
from core.prepared import fetch_values

_Row = TypeVar("_Row", bound=Model)
_Fetched = TypeVar("_Fetched")
DEFAULT_LIMIT = 100


class ListQuery(serializers.Serializer[Any]):
    """The query parameters that every list takes."""

    limit = QueryNumber(
        required=False, min_value=1, max_value=1000, help_text="Answer one page of at most this many."
    )
    cursor = QueryText(
        required=False, help_text="Where the page begins, from the previous page's Link header."
    )
    count = QueryFlag(
        required=False, default=False, help_text="Also answer the number of all matches in X-Total-Count."
    )


class OffsetListQuery(ListQuery):
    """For lists whose clients count: a page by default, and `offset` instead of a cursor."""

    limit = QueryNumber(
        required=False, default=50, min_value=1, max_value=1000, help_text="At most this many."
    )
    offset = QueryNumber(
        required=False,
        default=0,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Skip so many. A cursor does not shift when rows come meanwhile.",
    )


def paginate(
    rows: QuerySet[_Row],
    *,
    order: Sequence[str],
    query: dict[str, Any],
    request: HttpRequest,
    fetch: Callable[[QuerySet[_Row]], list[_Fetched]],
    as_row: Callable[[_Fetched], Model],
) -> tuple[list[_Fetched], dict[str, str]]:
    """What `fetch` makes of the rows to answer, in `order`, and the headers of the answer.

    `order` names columns, and integers with which `rows` are annotated; it must end in a unique column. A page
    begins after the row that the cursor names, by value, so rows that are inserted meanwhile neither repeat nor
    hide others. `as_row` answers an instance with a fetched row's values of `order`.
    Raises InvalidQuery for a cursor that no list in this order hands out.
    """
    headers: dict[str, str] = {}
    if query.get("count"):
        headers["X-Total-Count"] = str(rows.count())
    rows = rows.order_by(*order)
    if "limit" not in query and "cursor" not in query:
        return fetch(rows), headers
    if "cursor" in query:
        rows = rows.filter(_after(rows.model, order, _decode(query["cursor"], rows.model, order)))
    limit, offset = query.get("limit", DEFAULT_LIMIT), query.get("offset", 0)
    page = fetch(rows[offset : offset + limit + 1])
    if len(page) > limit:
        page.pop()
        headers["Link"] = link_to_next(request, _encode(as_row(page[-1]), order), limit)
    return page, headers


def link_to_next(request: HttpRequest, cursor: str, limit: int) -> str:
    """The `Link` header of a page after which there is another, which begins at `cursor`."""
    parameters = request.GET.copy()
    parameters.pop("offset", None)
    parameters["cursor"], parameters["limit"] = cursor, str(limit)
    # A relative link: the Host header comes from the client, and behind a proxy we know neither host nor scheme.
    return f'<{request.path}?{urlencode(list(parameters.items()))}>; rel="next"'


def paginate_rows(
    rows: QuerySet[_Row], *, order: Sequence[str], query: dict[str, Any], request: HttpRequest
) -> tuple[list[_Row], dict[str, str]]:
    """`paginate` for rows as instances of their model."""
    return paginate(rows, order=order, query=query, request=request, fetch=list, as_row=lambda row: row)


def paginate_values(
    rows: QuerySet[_Row],
    columns: Sequence[str],
    *,
    order: Sequence[str],
    query: dict[str, Any],
    request: HttpRequest,
) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    """`paginate` for values of `columns`. Values that only the order needs follow them in each row."""
    names = [term.lstrip("-") for term in order]
    selected = [*columns, *(name for name in names if name not in columns)]

    def as_row(values: Sequence[Any]) -> Model:
        row = rows.model()
        for name in names:
            setattr(row, name, values[selected.index(name)])
        return row

    return paginate(
        rows,
        order=order,
        query=query,
        request=request,
        fetch=lambda wanted: fetch_values(wanted, selected),
        as_row=as_row,
    )


def _after(model: type[Model], order: Sequence[str], values: Sequence[object]) -> Q:
    condition, equal_so_far = Q(), Q()
    for term, value in zip(order, values, strict=True):
        name = term.lstrip("-")
        condition |= equal_so_far & Q(**{f"{name}__{'lt' if term.startswith('-') else 'gt'}": value})
        equal_so_far &= Q(**{name: value})
    return condition


def _encode(row: Model, order: Sequence[str]) -> str:
    values = [_value_to_string(row, term.lstrip("-")) for term in order]
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _value_to_string(row: Model, name: str) -> str:
    field = _column(type(row), name)
    return str(getattr(row, name) if field is None else field.value_to_string(row))


def _decode(cursor: str, model: type[Model], order: Sequence[str]) -> list[object]:
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list):
            raise InvalidQuery(parameter="cursor")
        return [
            _string_to_value(value, model, term.lstrip("-"))
            for term, value in zip(order, values, strict=True)
        ]
    except (ValueError, OverflowError, ValidationError) as error:
        raise InvalidQuery(parameter="cursor") from error


def _string_to_value(text: object, model: type[Model], name: str) -> object:
    """Raises ValueError, OverflowError or ValidationError for what no row can hold."""
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(text)
    field = _column(model, name)
    value = int(text) if field is None else field.to_python(text)
    # Django knows the bounds of numbers that are columns themselves; of references and annotations it does not, and
    # SQLite takes no wider integer.
    if isinstance(value, int) and not isinstance(field, IntegerField) and not -(2**63) <= value < 2**63:
        raise ValueError(text)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(text)
        return value.astimezone(UTC)
    return value


def _column(model: type[Model], name: str) -> Any:
    """The column of that name; None for an annotation."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
