"""The bases of every admin page: reading costs a fixed number of queries, writing goes through services.

The admin is a second door to the services beside the API. What a service refuses becomes an error of the form
or a message; nothing is written then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import FieldListFilter, ShowFacets, SimpleListFilter
from django.contrib.admin import action as list_action
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import action as unfold_action

from core.errors import DomainError
from core.events import Actor, ActorType
from core.middleware import client_address

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.contrib.admin.views.main import ChangeList as _ChangeList
    from django.forms import BaseInlineFormSet

    _ModelAdmin = ModelAdmin[Any]
    _TabularInline = TabularInline[Any, Any]
    _InlineFormSet = BaseInlineFormSet[Any, Any, Any]
    _ModelForm = ModelForm[Any]
    _Paginator = Paginator[Any]
    _RangeFilter = FieldListFilter
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _TabularInline
    from unfold.contrib.filters.admin import RangeDateTimeFilter as _RangeFilter
    from unfold.forms import PaginationInlineFormSet as _InlineFormSet
    from unfold.views import ChangeList as _ChangeList

    _ModelForm = ModelForm
    _Paginator = Paginator

_View = TypeVar("_View", bound=Callable[..., Any])
_CONFIRMED = "confirmed"
_AUDIT_LIST = "admin:audit_auditlog_changelist"
_AUDIT_PERMISSION = "audit.view_auditlog"


def admin_actor(request: HttpRequest) -> Actor:
    """The admin-site user as the author of a change, with the place it came from."""
    return Actor(
        type=ActorType.ADMIN,
        label=request.user.get_username(),
        ip_address=client_address(request, settings.TRUSTED_PROXY_COUNT),
        user_agent=request.headers.get("User-Agent"),
        request_id=request.META.get("brokkr.request_id", ""),
    )


# --- How values look ------------------------------------------------------------------------------
_TONES = {
    "good": "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    "bad": "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
    "quiet": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
}


def badge(text: str, tone: str = "quiet") -> SafeString:
    """A short word on a coloured ground: good, bad or quiet."""
    return format_html(
        '<span class="inline-block font-semibold rounded-default text-[11px] whitespace-nowrap h-6 leading-6 px-2 '
        '{}">{}</span>',
        _TONES[tone],
        text,
    )


def badges(words: Iterable[str]) -> SafeString | None:
    """Each word on a quiet ground; None for no words, which the admin shows as a dash."""
    shown = [badge(word) for word in words]
    return format_html('<span class="brokkr-badges">{}</span>', SafeString("".join(shown))) if shown else None


def ago(at: datetime | None) -> SafeString | None:
    """How long ago, with the exact time on hover."""
    if at is None:
        return None
    age = timesince(at, timezone.now(), depth=1)
    words = "just now" if age.startswith("0") else f"{age} ago"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}", words
    )


def link(url_name: str, text: object, *args: object, query: Mapping[str, object] | None = None) -> SafeString:
    """A link to an admin page, by the page's name."""
    url = reverse(f"admin:{url_name}", args=args) + (f"?{urlencode(query)}" if query else "")
    return format_html('<a href="{}" class="text-link">{}</a>', url, text)


# --- Lists ----------------------------------------------------------------------------------------
class CappedPaginator(_Paginator):
    """For tables that may hold millions: counts no further than CAP rows, and says so."""

    CAP = 10_000
    template_name = "core/admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by().values("pk")[: self.CAP].count()

    @property
    def is_capped(self) -> bool:
        return self.count >= self.CAP


class MarkFilter(SimpleListFilter):
    """Hides the rows that carry a mark, a time in `field`, unless they are asked for."""

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


class TimeRangeFilter(_RangeFilter):
    """From and to, in UTC. A day without a time of day counts as a whole."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(
            **self._limit("from", "gte", "00:00:00"), **self._limit("to", "lte", "23:59:59.999999")
        )

    def _limit(self, end: str, lookup: str, whole_day: str) -> dict[str, datetime]:
        day = self.used_parameters.get(f"{self.field_path}_{end}_0")
        if not day:
            return {}
        clock = self.used_parameters.get(f"{self.field_path}_{end}_1") or whole_day
        try:
            at = parse_datetime(f"{day}T{clock}")
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if at is None:
            raise IncorrectLookupParameters
        return {f"{self.field_path}__{lookup}": at.replace(tzinfo=UTC)}


class _PreparedChangeList(_ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # The foot of the list says the count; the theme would say it again at the head, with a total.
        self.full_result_count = self.result_count
        cast(BaseAdmin, self.model_admin).prepare(list(self.result_list))


# --- Questions and keys ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something happens that cannot be undone by a second click."""

    title: str
    consequence: str
    button: str
    is_dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """What a service made, and the text of the key it issued, if any."""

    row: Model
    key: str | None = None


def detail_action(
    *, description: str, icon: str, question: Question, done: str = "", permission: str = "change"
) -> Callable[[Callable[..., HttpResponse | None]], Any]:
    """A button on a row's page. It asks first; the method then runs in a transaction with the row.

    A refusal becomes a message. The method answers a page of its own, or None to return to the row and say
    `done` there.
    """

    def decorate(method: Callable[..., HttpResponse | None]) -> Any:
        @wraps(method)
        def view(self: "BaseAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self.gone(request)
            if not _is_confirmed(request):
                return self.ask(request, question, [row])
            try:
                with transaction.atomic():
                    answer = method(self, request, row)
            except DomainError as refusal:
                self.message_user(request, refusal.text, messages.ERROR)
                return HttpResponseRedirect(self.url_of(row))
            if answer is not None:
                return answer
            self.message_user(request, f"{done}: {row}.", messages.SUCCESS)
            return HttpResponseRedirect(self.url_of(row))

        return unfold_action(view, permissions=[permission], description=description, icon=icon)

    return decorate


def bulk_action(
    *, description: str, question: Question, done: str, permission: str = "change"
) -> Callable[[Callable[..., None]], Any]:
    """An action on the ticked rows. It asks first; the method then gets each row, all in one transaction."""

    def decorate(method: Callable[..., None]) -> Any:
        @wraps(method)
        def run(self: "BaseAdmin", request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            rows = list(queryset.order_by("pk"))
            if not _is_confirmed(request):
                return self.ask(request, question, rows, action=method.__name__)
            with transaction.atomic():
                for row in rows:
                    method(self, request, row)
            self.message_user(request, f"{done}: {len(rows)}.", messages.SUCCESS)
            return None

        return list_action(run, permissions=[permission], description=description)

    return decorate


def _is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get(_CONFIRMED) == "yes"


# --- Pages ----------------------------------------------------------------------------------------
class BaseAdmin(_ModelAdmin):
    """What all our pages share. History is the audit log: it knows the changes made by every door."""

    list_per_page = 50
    list_max_show_all = 200
    # Selecting more than the page would name rows that nobody has looked at.
    list_disable_select_all = True
    list_filter_submit = True
    show_full_result_count = False
    # Counting the rows behind each choice of a filter would read the whole table.
    show_facets = ShowFacets.NEVER
    warn_unsaved_form = True

    # Columns that no list may be filtered by: a filter on a hidden value finds the value, letter by letter.
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    is_audited: ClassVar[bool] = True

    def prepare(self, rows: Sequence[Any]) -> None:
        """Look up, for all rows of a page at once, what their table does not hold."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return _PreparedChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.prepare([row])
        return row

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if self.secret_fields.intersection(lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, cast(HttpRequest, request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete":
            queryset = self.selectable(queryset)
        return super().get_search_results(request, queryset, search_term)

    def selectable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that other pages may refer to."""
        return rows.filter(deleted_at__isnull=True)

    def gone(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request for a row that is not there."""
        self.message_user(request, f"There is no such {self.opts.verbose_name}.", messages.WARNING)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def url_of(self, row: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def ask(
        self, request: HttpRequest, question: Question, rows: Sequence[Model], action: str = ""
    ) -> HttpResponse:
        """The page that names what will happen; its button sends the request again, confirmed."""
        context = {
            **self.admin_site.each_context(request),
            "title": question.title,
            "question": question,
            "rows": rows,
            "action": action,
            "opts": self.opts,
            "back": request.get_full_path() if action else self.url_of(rows[0]),
            "media": self.media,
        }
        return TemplateResponse(request, "core/admin/confirm.html", context)

    def show_key(self, request: HttpRequest, row: Model, key: str) -> HttpResponse:
        """The page that shows a new key. Answered at once, so that the key is stored nowhere on its way."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"New key of {row}",
            "key": key,
            "owner": row,
            "opts": self.opts,
            "back": self.url_of(row),
            "media": self.media,
        }
        return TemplateResponse(request, "core/admin/key.html", context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        may_see_history = self.is_audited and request.user.has_perm(_AUDIT_PERMISSION)
        context = {"show_history": may_see_history, **(extra_context or {})}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except DomainError as refusal:
            # Rolled back; the same form again, now with the refusal as its error.
            request.META["brokkr.refusal"] = refusal
            return super().changeform_view(request, object_id, form_url, context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.text, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:index"))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.gone(request)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(f"{reverse(_AUDIT_LIST)}?{urlencode({'q': row.id})}")

    # Django's own log would be a second, poorer one.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None


class ReadOnlyAdmin(BaseAdmin):
    """Pages that show and never change, whatever is sent to them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceForm(_ModelForm):
    """Shows what a service refused as an error of the form."""

    refusal: ClassVar[DomainError | None] = None

    def clean(self) -> dict[str, Any] | None:
        if self.refusal is not None:
            raise ValidationError(self.refusal.text)
        return super().clean()


class ServiceAdmin(BaseAdmin):
    """Pages whose every write is a call of a service, with the admin-site user as its author."""

    form = ServiceForm
    delete_confirmation_template = "core/admin/delete.html"
    delete_selected_confirmation_template = "core/admin/delete.html"

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        """Make a row of what the form says."""
        raise NotImplementedError

    def update(self, *, row: Any, changes: dict[str, Any], actor: Actor) -> None:
        """Change what the form changed."""
        raise NotImplementedError

    def delete(self, *, row: Any, actor: Actor) -> None:
        raise NotImplementedError

    def consequences(self, row: Any) -> list[str]:
        """What else happens when the row is deleted, in sentences."""
        return []

    def is_open(self, row: Any) -> bool:
        """Whether the row may be changed at all, by anybody."""
        return getattr(row, "deleted_at", None) is None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request) and self._is_open(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request) and self._is_open(request, obj)

    def row_of(self, request: HttpRequest, obj: Any) -> Any:
        """The row of a permission question: for its buttons, the theme asks with the id in place of the row."""
        return self.get_object(request, unquote(obj)) if isinstance(obj, str) else obj

    def _is_open(self, request: HttpRequest, obj: Any) -> bool:
        row = self.row_of(request, obj)
        return row is None or self.is_open(row)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001  # Django's signature
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refusal = request.META.get("brokkr.refusal")
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            return
        created = self.create(values=form.cleaned_data, actor=admin_actor(request))
        obj.pk, obj.issued_key = created.row.pk, created.key
        obj.refresh_from_db()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        # The other ends first, then the row itself: the order in which the API locks them.
        for formset in formsets:
            formset.lock_others()
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if change and changes:
            self.update(row=form.instance, changes=changes, actor=admin_actor(request))
        for formset in formsets:
            formset.save_rows(actor=admin_actor(request))

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001
    ) -> Any:
        return []

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.issued_key is not None:
            return self.show_key(request, obj, obj.issued_key)
        return super().response_add(request, obj, post_url_continue)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete(row=obj, actor=admin_actor(request))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset.order_by("pk"):
            self.delete(row=row, actor=admin_actor(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Deleting marks the row and lets the service see to the rest; nothing cascades in the database.
        tree: list[Any] = []
        for row in objs:
            tree.append(str(row))
            if words := self.consequences(row):
                tree.append(words)
        count = len(objs)
        return tree, {self.opts.verbose_name_plural: count}, set(), []


# --- Rows of other tables on a row's page ----------------------------------------------------------
class ServiceFormSet(_InlineFormSet):
    """Adds and removes rows by services. Rows are not changed in place."""

    def lock_others(self) -> None:
        """Lock what the changed rows refer to besides the page's own row."""

    def add_row(self, *, values: dict[str, Any], actor: Actor) -> None:
        raise NotImplementedError

    def remove_row(self, *, row: Any, actor: Actor) -> None:
        raise NotImplementedError

    def save_rows(self, *, actor: Actor) -> None:
        # Removals first, so that a row can be replaced in one go.
        for row in self.removed_rows():
            self.remove_row(row=row, actor=actor)
        for values in self.added_values():
            self.add_row(values=values, actor=actor)

    def removed_rows(self) -> list[Any]:
        return [form.instance for form in self.deleted_forms if form in self.initial_forms]

    def added_values(self) -> list[dict[str, Any]]:
        return [
            form.cleaned_data
            for form in self.extra_forms
            if form.has_changed() and form not in self.deleted_forms
        ]


class ServiceInline(_TabularInline):
    """Rows that whoever may change the page's row may add and remove."""

    formset = ServiceFormSet
    extra = 0
    hide_title = True
    # Enough for people; the formset keeps one page of rows when there are more.
    per_page = 50

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view") or self._may(request, "change")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def _may(self, request: HttpRequest, verb: str) -> bool:
        parent = self.parent_model._meta
        return request.user.has_perm(f"{parent.app_label}.{verb}_{parent.model_name}")


def object_link(model: type[Model], row_id: UUID | None, text: str) -> SafeString | str:
    """A link to a row's page when the admin has one, else the text."""
    try:
        return link(f"{model._meta.app_label}_{model._meta.model_name}_change", text, row_id)
    except NoReverseMatch:
        return text
