"""The bases of the pages: one that only reads, and one that writes through services."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from core.admin.actions import Question
from core.admin.lists import PreparedChangeList
from core.errors import DomainError
from core.events import Actor, ActorType
from core.middleware import client_address

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _ModelAdmin = ModelAdmin[Any]
    _ModelForm = ModelForm[Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin

    _ModelForm = ModelForm

_AUDIT_LIST = "admin:audit_auditlog_changelist"
_AUDIT_PERMISSION = "audit.view_auditlog"


@dataclass(frozen=True, slots=True)
class Created:
    """What a service made, and the text of the key it issued, if any."""

    row: Model
    key: str | None = None


def admin_actor(request: HttpRequest) -> Actor:
    """The admin-site user as the author of a change, with the place it came from."""
    return Actor(
        type=ActorType.ADMIN,
        label=request.user.get_username(),
        ip_address=client_address(request, settings.TRUSTED_PROXY_COUNT),
        user_agent=request.headers.get("User-Agent"),
        request_id=request.META.get("brokkr.request_id", ""),
    )


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
        return PreparedChangeList

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
