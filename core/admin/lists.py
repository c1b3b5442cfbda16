"""Parts of lists: a paginator that counts up to a limit, and filters without an unbounded choice."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.admin import FieldListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.utils.functional import cached_property

from core.admin.chips import Chip, chips_of
from core.admin.columns import fill_columns
from core.admin.widgets import MomentFormField

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList as _ChangeList

    from core.admin.base import BaseAdmin

    _Paginator = Paginator[Any]
    _RangeFilter = FieldListFilter
else:
    from unfold.contrib.filters.admin import RangeDateFilter as _RangeFilter
    from unfold.views import ChangeList as _ChangeList

    _Paginator = Paginator

# As parameters and labels call the ends of a range of time.
_ENDS = ("from", "to")


class CappedPaginator(_Paginator):
    """For tables that may hold millions of rows: counts up to CAP rows and says when there may be more."""

    CAP = 10_000
    template_name = "core/admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by().values("pk")[: self.CAP].count()

    @property
    def is_capped(self) -> bool:
        return self.count >= self.CAP


def page_of(request: HttpRequest, rows: Sequence[Any] | QuerySet[Any], *, per_page: int = 50) -> Page[Any]:
    """The page of rows that the query's `page` asks for. core/admin/pager.html links to the other pages."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


class MarkFilter(SimpleListFilter):
    """Hides the rows that have a time in `field`, such as `deleted_at`, unless the user asks for them."""

    field: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("only", f"Only {self.title}"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() not in {"only", "all"},
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": f"Not {self.title}",
        }
        for value, words in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": words,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(**{f"{self.field}__isnull": self.value() != "only"})


class DeletedFilter(MarkFilter):
    title = "deleted"
    parameter_name = "deleted"
    field = "deleted_at"


class MomentsForm(Form):
    """Two moments in UTC, either of which may be missing."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        for end in _ENDS:
            self.fields[f"{name}_{end}"] = MomentFormField(label=end)


class TimeRangeFilter(_RangeFilter):
    """A filter by two moments in UTC. The second in which the range ends belongs to it.

    It is called what the list calls the column that is ordered by the field.
    """

    form_class = MomentsForm
    template = "core/admin/moments_filter.html"

    def __init__(  # noqa: PLR0917  # Django's signature
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        for name in model_admin.list_display:
            column = getattr(model_admin, name, None)
            if getattr(column, "admin_order_field", None) == field_path:
                self.title = getattr(column, "short_description", self.title)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        start, end = self._moments()
        limits = {}
        if start is not None:
            limits[f"{self.field_path}__gte"] = start
        if end is not None:
            limits[f"{self.field_path}__lte"] = end.replace(microsecond=999_999)
        return queryset.filter(**limits)

    def words(self) -> str:
        """The two moments, to the second."""
        moments = zip(_ENDS, self._moments(), strict=True)
        return ", ".join(f"{end} {moment:%Y-%m-%d %H:%M:%S}" for end, moment in moments if moment)

    def _moments(self) -> list[datetime | None]:
        form = self.form_class(self.field_path, self.used_parameters)
        if not form.is_valid():
            raise IncorrectLookupParameters
        return [form.cleaned_data[f"{self.field_path}_{end}"] for end in _ENDS]


class PreparedChangeList(_ChangeList):
    """A list whose rows are prepared all at once, and which says by what it is filtered."""

    chips: Sequence[Chip] = ()
    # Parameters of the query that filter, and that are of no filter of the list.
    other_filters: Sequence[str] = ()

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)
        self.other_filters = list(found[2])
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # The count is at the foot of the list. The theme would repeat it at the head, with a total.
        self.full_result_count = self.result_count
        rows = list(self.result_list)
        cast("BaseAdmin", self.model_admin).prepare(rows)
        fill_columns(request, self.model, rows)
        self.chips = chips_of(request, self)
