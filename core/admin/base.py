"""The base of all pages."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from core.admin.actions import SAY_WHY, Question, given_reason
from core.admin.columns import displays_of, fill_columns
from core.admin.filters import filters_of
from core.admin.history import history
from core.admin.lists import PreparedChangeList
from core.admin.planning import PLAN, PLAN_REASON, TYPED, ShownPlan, Unconfirmed
from core.admin.tabs import Page, pages_of
from core.admin.values import ago, one_line
from core.errors import DomainError
from core.events import ADMIN_TYPE, Actor
from core.middleware import client_address
from core.request_context import context_of

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    from core.admin.bulk import ListAction

    _ModelAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin


def admin_actor(request: HttpRequest) -> Actor:
    """The admin-site user as the author of a change, with the place it came from, and why if that was asked."""
    return Actor(
        type=ADMIN_TYPE,
        label=request.user.get_username(),
        ip_address=client_address(request.META, settings.TRUSTED_PROXY_COUNT),
        user_agent=request.headers.get("User-Agent"),
        request_id=context_of(request).request_id,
        reason=given_reason(request),
    )


class BaseAdmin(_ModelAdmin):
    """What all our pages share. History is the log that knows the changes made by every door."""

    list_per_page = 50
    list_max_show_all = 200
    list_filter_submit = True
    show_full_result_count = False
    # Counting the rows behind each choice of a filter would read the whole table.
    show_facets = ShowFacets.NEVER
    warn_unsaved_form = True
    delete_confirmation_template = "core/admin/delete.html"

    # Columns that no list may be filtered by: filters would reveal a hidden value letter by letter.
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    is_audited: ClassVar[bool] = True
    # Whether the page of a row is for reading, until its button for editing is pressed.
    reads_first: ClassVar[bool] = False
    # The text of an empty list: where its rows come from, and what to do next.
    empty_hint: ClassVar[str] = ""
    # The name of the secret that `show_key` shows once, and the note below it.
    key_noun: ClassVar[str] = "key"
    key_note: ClassVar[str] = (
        "The broker keeps only a hash of it. A lost key cannot be recovered, only replaced by a new one."
    )

    @property
    def list_disable_select_all(self) -> bool:
        """Deletion, which every list has, names each row, so it is for the rows of a page."""
        return not self.actions

    def user_as_actor(self, request: HttpRequest) -> Actor:
        """The user as the author of a change."""
        return admin_actor(request)

    def prepare(self, rows: Sequence[Any]) -> None:
        """Look up what the rows' table does not hold, for all rows of a page at once."""

    def name_of(self, row: Any) -> str:
        """The name of a prepared row, in the heading of its page and in questions about it."""
        return str(row)

    @admin.display(description="name", ordering="name")
    def name_line(self, row: Any) -> SafeString:
        return one_line(row.name)

    @admin.display(description="deleted")
    def deleted(self, row: Any) -> SafeString | None:
        return ago(row.deleted_at)

    def get_list_display(self, request: HttpRequest) -> Any:
        first, *others = super().get_list_display(request)
        return (first, *displays_of(request, self.model), *others)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*super().get_list_filter(request), *filters_of(request, self.model))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return PreparedChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.prepare([row])
            # The theme ends the path of titles with the row itself; see unfold/helpers/header_title.html.
            row.heading = self.name_of(row)
        return row

    def row_of(self, request: HttpRequest, obj: Any) -> Any:
        """The row of a permission check. For buttons, the theme passes the id in place of the row."""
        return self.get_object(request, unquote(obj)) if isinstance(obj, str) else obj

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
        """The rows that the fields of other pages may choose."""
        return rows.filter(deleted_at__isnull=True)

    def gone(self, request: HttpRequest) -> HttpResponse:
        """The response to a request for a row that does not exist."""
        self.message_user(request, f"There is no such {self.opts.verbose_name}.", messages.WARNING)
        return HttpResponseRedirect(self.list_url)

    @property
    def list_url(self) -> str:
        """The address of the list of all rows."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def url_of(self, row: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<path:object_id>/{page.slug}/",
                self.admin_site.admin_view(self._view_of(page)),
                name=self._page_name(page),
            )
            for page in pages_of(self.model)
        ]
        # Before Django's own, whose last pattern takes everything.
        return [*pages, *super().get_urls()]

    def title_of_adding(self, request: HttpRequest) -> str:
        """The title of a page that adds a row. The path of titles ends with it in answer to this request."""
        title = f"Add {self.opts.verbose_name}"
        # Of all that a page knows, the path of titles is given the request only.
        context_of(request).title_of_adding = title
        return title

    def render_page(
        self, request: HttpRequest, row: Model, template: str, context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One of the row's further pages, among its tabs and buttons. `template` extends core/admin/page.html."""
        theme = cast(Any, self)
        buttons = theme._get_actions_navigation(
            theme.actions_detail, theme.get_actions_detail(request, row), row.pk
        )
        common = {
            **self.admin_site.each_context(request),
            "title": self.name_of(row),
            "original": row,
            "opts": self.opts,
            "media": self.media,
            "tab_list": self.tabs(request, row),
            "actions_detail": buttons,
        }
        return TemplateResponse(request, template, {**common, **(context or {})})

    def tabs(self, request: HttpRequest, row: Model) -> list[dict[str, Any]]:
        """The row's form and its further pages that the user may open, as the theme wants them."""
        pages = [
            page
            for page in pages_of(self.model)
            if page.is_for(row) and request.user.has_perm(page.permission)
        ]
        if not pages:
            return []
        links = [("Overview", self.url_of(row))]
        links += [(page.title, reverse(f"admin:{self._page_name(page)}", args=[row.pk])) for page in pages]
        items = [
            {"title": title, "link": url, "active": request.path == url, "has_permission": True}
            for title, url in links
        ]
        return [{"models": [{"name": str(self.opts), "detail": True}], "items": items}]

    def _page_name(self, page: Page) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page.url_part}"

    def _view_of(self, page: Page) -> Callable[[HttpRequest, str], HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self.gone(request)
            if not self.has_view_permission(request, row) or not request.user.has_perm(page.permission):
                raise PermissionDenied
            try:
                return page.view(request, self, row)
            except DomainError as refusal:
                self.tell_refusal(request, refusal)
                # A GET goes back to the row: redirecting to the page that refused would loop for ever.
                return HttpResponseRedirect(request.path if request.method == "POST" else self.url_of(row))

        return view

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = context["original"]
        if row is not None:
            columns = fill_columns(request, self.model, [row])
            context |= {
                "tab_list": self.tabs(request, row),
                "subtitle": self.name_of(row),
                "columns": [(column.title, getattr(row, f"{column.name}_cell")) for column in columns],
                "reads_first": self.reads_first,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def tell_refusal(self, request: HttpRequest, refusal: DomainError) -> None:
        """Show the refusal as a message on the next page."""
        context_of(request).refusal = refusal
        self.message_user(request, refusal.text, messages.ERROR)

    def ask(
        self,
        request: HttpRequest,
        question: Question,
        rows: Sequence[Model],
        *,
        action: str = "",
        plan: ShownPlan | None = None,
        word: str = "",
    ) -> HttpResponse:
        """The page that says what will happen. Its button sends the request again, confirmed."""
        context = {
            **self.admin_site.each_context(request),
            "title": question.title,
            "question": question,
            "rows": [(row.pk, self.name_of(row)) for row in rows],
            "action": action,
            "word": word,
            "plan": plan,
            "has_reason": question.asks_reason,
            "opts": self.opts,
            "back": request.get_full_path() if action else self.url_of(rows[0]),
            "original": None if action else rows[0],
            "media": self.media,
        }
        return TemplateResponse(request, "core/admin/confirm.html", context)

    def ask_word(
        self, request: HttpRequest, action: "ListAction", *, typed: str = "", error: str = ""
    ) -> HttpResponse:
        """The page that asks for the word of an action. Its button sends the request again, with the word."""
        context = {
            **self.admin_site.each_context(request),
            "title": action.question.title,
            "action": action,
            "typed": typed,
            "error": error,
            "across": request.POST.get("select_across", "0"),
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "opts": self.opts,
            "back": request.get_full_path(),
            "media": self.media,
        }
        return TemplateResponse(request, "core/admin/word.html", context)

    def confirm_plan(self, request: HttpRequest, row: Model | None, plan: ShownPlan) -> HttpResponse:
        """The page that shows what the sent form would do. Its button sends the form again, confirmed."""
        own = {"csrfmiddlewaretoken", PLAN, TYPED, PLAN_REASON}
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change {self.name_of(row)}" if row is not None else self.title_of_adding(request),
            "original": row,
            "plan": plan,
            "sent": [
                (name, value) for name, values in request.POST.lists() if name not in own for value in values
            ],
            "opts": self.opts,
            "back": request.get_full_path(),
            "media": self.media,
        }
        return TemplateResponse(request, "core/admin/plan.html", context)

    def show_key(self, request: HttpRequest, row: Model, key: str) -> HttpResponse:
        """The page that shows a new key. It is the response itself, not a redirect, so the key is stored nowhere."""
        # The row is there now: the path of titles ends with it.
        context_of(request).title_of_adding = ""
        context = {
            **self.admin_site.each_context(request),
            "title": f"New {self.key_noun} of {row}",
            "original": row,
            "key": key,
            "key_noun": self.key_noun,
            "key_note": self.key_note,
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
            self.tell_refusal(request, refusal)
            return HttpResponseRedirect(request.get_full_path())

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if object_id is None:
            self.title_of_adding(request)
        log = history()
        may_see_history = self.is_audited and log is not None and request.user.has_perm(log.permission)
        context = {"show_history": may_see_history, **(extra_context or {})}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except Unconfirmed as unconfirmed:
            row = None if object_id is None else self.get_object(request, unquote(object_id))
            return self.confirm_plan(request, row, unconfirmed.plan)
        except DomainError as refusal:
            # Rolled back; the same form again, now with the refusal as its error.
            context_of(request).refusal = refusal
            return super().changeform_view(request, object_id, form_url, context)

    def is_meant(self, request: HttpRequest, rows: list[Any]) -> bool:
        """Whether a deletion that was sent may go on. A message says why not."""
        if not given_reason(request):
            self.message_user(request, SAY_WHY, messages.ERROR)
        return bool(given_reason(request))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, unquote(object_id))
        is_sent = request.method == "POST" and row is not None and self.has_delete_permission(request, row)
        if is_sent and not self.is_meant(request, [row]):
            # Without its fields, the page asks again.
            cast(Any, request).POST = QueryDict()
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            self.tell_refusal(request, refusal)
            return HttpResponseRedirect(reverse("admin:index"))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.gone(request)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        log = history()
        if log is None:
            return self.gone(request)
        about = getattr(row, "id", row.pk)  # the log has the API's id
        return HttpResponseRedirect(f"{reverse(log.url_name)}?{urlencode({'q': about})}")

    # No row in Django's own log: the audit log says more.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None
