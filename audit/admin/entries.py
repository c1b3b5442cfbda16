"""The entries of the audit log."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet, TextField
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.models import AuditLog
from core import clock
from core.admin import CappedPaginator, ReadOnlyAdmin, TimeRangeFilter, link, moment, object_link, one_line
from core.admin.code import code_block
from core.admin.filters import TypedFilter
from paks.actors import ActorType
from paks.models import Pak

_COLUMNS = (
    "timestamp",
    "action",
    "resource_type",
    "resource_id",
    "actor_type",
    "actor_label",
    "actor_id",
    "key_id",
    "ip_address",
    "user_agent",
    "request_id",
    "reason",
    "seal",
)
# Columns of JSON, at the end of a line.
_JSON_COLUMNS = ("details", "before", "after")


def _names(model: type[Any], ids: set[UUID]) -> dict[UUID, str]:
    # Some rows are named after the rows they belong to, so those are loaded too. Long texts are not loaded: the
    # manifests of one page can be megabytes.
    owners = {field.name: field.related_model for field in model._meta.concrete_fields if field.many_to_one}
    texts = [*_texts(model), *(f"{name}__{text}" for name, owner in owners.items() for text in _texts(owner))]
    rows = model._default_manager.select_related(*owners).defer(*texts)
    return {row.id: str(row) for row in rows.filter(id__in=ids)}


def _texts(model: type[Any]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if isinstance(field, TextField)]


def _shown(values: Mapping[str, object], name: str) -> str:
    if name not in values:
        return ""
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: QuerySet[AuditLog]) -> Iterator[str]:
    """A heading and one line for each row, a thousand rows at a time from the database."""
    write = csv.writer(_Line()).writerow
    yield write([*_COLUMNS, *_JSON_COLUMNS])
    for row in rows.iterator(chunk_size=1_000):
        values = (getattr(row, name) for name in _JSON_COLUMNS)
        texts = ("" if value is None else json.dumps(value, ensure_ascii=False) for value in values)
        cells = [row.timestamp.isoformat(), *(getattr(row, name) for name in _COLUMNS[1:]), *texts]
        yield write([_harmless(cell) for cell in cells])


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    # A spreadsheet would run such a cell as a formula, and callers choose the user agent that we export.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


class ActionFilter(TypedFilter):
    title = "action, like stack.deleted or stack.*"
    parameter_name = "action"

    def rows_with(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
        return rows.with_action(typed)  # type: ignore[attr-defined,no-any-return]  # the audit log's own queryset


class ResourceTypeFilter(TypedFilter):
    title = "resource type, like stack"
    parameter_name = column = "resource_type"


class ActorFilter(TypedFilter):
    title = "actor's name"
    parameter_name = "actor"
    column = "actor_label"


class ActorTypeFilter(admin.SimpleListFilter):
    # Listed here, because finding the distinct values in the table would read all of it.
    title = "actor type"
    parameter_name = "actor_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(actor.value, actor.value) for actor in ActorType]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(actor_type=self.value()) if self.value() else queryset


# What the types of resources are called whose rows have no noun.
_KINDS = {"pak": "key"}
_OFTEN_ABSENT = ("reason", "resource_id", "actor_id", "user_agent", "request_id")


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    empty_hint = "Every change is noted here, with who made it. Nothing has been changed for as long as notes are kept."
    list_display = ("time", "action", "resource", "actor", "address")
    list_filter = (
        ActionFilter,
        ActorFilter,
        ActorTypeFilter,
        ResourceTypeFilter,
        ("timestamp", TimeRangeFilter),
    )
    list_before_template = "audit/admin/export.html"
    search_fields = ("resource_id",)
    search_help_text = "A resource's id"
    ordering = ("-timestamp", "-sequence")
    paginator = CappedPaginator
    # The list is the log; what it holds are entries.
    rows_word = "audit entries"
    fields = (
        "exact_time",
        "action",
        "resource",
        "resource_id",
        "reason",
        "difference",
        "told",
        "actor",
        "actor_id",
        "key",
        "address",
        "user_agent",
        "request_id",
        "sequence",
        "sealed_by",
    )
    readonly_fields = fields
    is_audited = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # What the entry does not have is left out.
        columns = {"key": "key_id", "address": "ip_address", "told": "details"} | {
            name: name for name in _OFTEN_ABSENT
        }
        absent = (
            set() if obj is None else {name for name, column in columns.items() if not getattr(obj, column)}
        )
        if obj is None or (obj.before is None and obj.after is None):
            absent.add("difference")
        return [name for name in self.fields if name not in absent]

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export), name="audit_auditlog_export")
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """All rows that match the list's filters, as CSV. Rows are sent while they are read."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:audit_auditlog_changelist"))
        response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
        name = f"audit-log-{clock.now():%Y-%m-%d-%H%M%S}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            return queryset.filter(resource_id=UUID(search_term.strip())), False
        except ValueError:
            return queryset.none(), False

    def prepare(self, rows: Sequence[Any]) -> None:
        # The model is found by the noun in `resource_type`, so that the log need not import the other apps.
        ids: dict[type[Model], set[UUID]] = defaultdict(set)
        models: dict[str, type[Model]] = {
            model.NOUN: model for model in self.admin_site._registry if hasattr(model, "NOUN")
        }
        for row in rows:
            row.resource_model = models.get(row.resource_type)
            if row.resource_model is not None and row.resource_id is not None:
                ids[row.resource_model].add(row.resource_id)
        names = {model: _names(model, wanted) for model, wanted in ids.items()}
        for row in rows:
            row.resource_name = names.get(row.resource_model, {}).get(row.resource_id)

    @admin.display(description="time", ordering="timestamp")
    def time(self, row: AuditLog) -> str | None:
        return moment(row.timestamp)

    @admin.display(description="time")
    def exact_time(self, row: AuditLog) -> str:
        return f"{row.timestamp:%Y-%m-%d %H:%M:%S.%f} UTC"

    def name_of(self, row: AuditLog) -> str:
        return f"{row.action} by {row.actor_label or row.actor_type}"

    @admin.display(description="resource")
    def resource(self, row: Any) -> str:
        # As the pages of these rows call them.
        kind = _KINDS.get(row.resource_type) or row.resource_type.replace("_", " ")
        if row.resource_model is not None:
            kind = row.resource_model._meta.verbose_name
        elif row.action.startswith("site_user."):
            kind = "user"
        if row.resource_name is not None:
            return format_html(
                "<span>{} {}</span>",
                kind,
                object_link(row.resource_model, row.resource_id, row.resource_name),
            )
        details = row.details or {}
        name = details.get("name") or details.get("username") or details.get("work_type")
        return f"{kind} {name}" if name else kind

    @admin.display(description="actor")
    def actor(self, row: AuditLog) -> str:
        return one_line(f"{row.actor_label} ({row.actor_type})") if row.actor_label else row.actor_type

    @admin.display(description="details")
    def told(self, row: AuditLog) -> SafeString:
        return code_block(json.dumps(row.details, indent=2, ensure_ascii=False))

    @admin.display(description="IP address", ordering="ip_address")
    def address(self, row: AuditLog) -> str | None:
        return row.ip_address

    @admin.display(description="changed")
    def difference(self, row: AuditLog) -> str:
        """Each field with its value before and after."""
        before, after = row.before or {}, row.after or {}
        names = [*before, *(name for name in after if name not in before)]
        lines = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td class="brokkr-diff-removed">{}</td>'
            '<td class="brokkr-diff-added">{}</td></tr>',
            ((name, _shown(before, name), _shown(after, name)) for name in names),
        )
        return format_html(
            '<table class="brokkr-table"><thead><tr><th>field</th><th>before</th><th>after</th></tr></thead>'
            "<tbody>{}</tbody></table>",
            lines,
        )

    @admin.display(description="seal")
    def sealed_by(self, row: AuditLog) -> str:
        erased = f", erased: {', '.join(sorted(row.erased))}" if row.erased else ""
        if row.seal is None:
            return f"not yet{erased}"
        return format_html("{}{}", link("audit_auditseal_change", f"number {row.seal}", row.seal), erased)

    @admin.display(description="key")
    def key(self, row: AuditLog) -> str | None:
        return object_link(Pak, row.key_id, str(row.key_id)) if row.key_id else None
