"""The operator's pages of diagnostics, for making requests and reading results."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from agents.models import Agent
from core import clock
from core.admin import (
    CappedPaginator,
    Created,
    ServiceAdmin,
    ServiceForm,
    TimeRangeFilter,
    ago,
    badge,
    link,
    moment,
    preformatted,
)
from core.events import Actor
from diagnostics.models import MAX_REQUESTED_BY, DiagnosticRequest, DiagnosticStatus
from diagnostics.services import DEFAULT_RETENTION_MINUTES, MAX_RETENTION_MINUTES, request_diagnostic
from diagnostics.tables import Table, events_table, pods_table
from stacks.models import DeploymentObject
from stacks.secret_values import without_secrets

# The theme's classes have no types; they extend Django's classes.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminIntegerFieldWidget as _Integer
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
else:
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as _Integer
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

_TONES = {
    DiagnosticStatus.PENDING: "quiet",
    DiagnosticStatus.CLAIMED: "quiet",
    DiagnosticStatus.COMPLETED: "good",
    DiagnosticStatus.FAILED: "bad",
    DiagnosticStatus.EXPIRED: "bad",
}


class DiagnosticForm(ServiceForm):
    requested_by = forms.CharField(required=False, max_length=MAX_REQUESTED_BY, widget=_TextInput())
    retention_minutes = forms.IntegerField(
        label="Kept for, in minutes",
        initial=DEFAULT_RETENTION_MINUTES,
        min_value=1,
        max_value=MAX_RETENTION_MINUTES,
        widget=_Integer(),
        help_text="The request expires after this; its result is kept at least as long.",
    )

    class Meta:
        model = DiagnosticRequest
        fields = ("deployment_object", "agent", "requested_by")
        labels: ClassVar[dict[str, str]] = {"deployment_object": "Version"}
        help_texts: ClassVar[dict[str, str]] = {
            "deployment_object": "Found by its number, or by the beginning of its stack's name.",
            "agent": "The agent that looks, in its cluster.",
        }


@admin.register(DiagnosticRequest)
class DiagnosticRequestAdmin(ServiceAdmin):
    """Requests are only made here. Agents and the periodic jobs change them later."""

    form = DiagnosticForm
    empty_hint = (
        "Ask an agent what it finds about a version that it has deployed: pods, events and the ends of logs. Add a "
        "diagnostic, and read the answer here."
    )
    list_display = ("asked", "object_link", "stack", "agent_name", "state", "requested_by", "expiry")
    list_filter = ("status", ("agent", AutocompleteSelectFilter), ("created_at", TimeRangeFilter))
    search_fields = ("^agent__name", "^deployment_object__stack__name")
    search_help_text = "Beginning of the agent's or the stack's name"
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    autocomplete_fields = ("deployment_object", "agent")
    secret_fields = frozenset({"yaml_content", "pod_statuses", "events", "log_tails"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[DiagnosticRequest]:
        rows: QuerySet[DiagnosticRequest] = super().get_queryset(request)
        rows = rows.select_related("agent", "deployment_object__stack").defer(
            "deployment_object__yaml_content"
        )
        match = request.resolver_match
        # Results may be long, and no list shows them.
        is_list = match is not None and match.url_name == "diagnostics_diagnosticrequest_changelist"
        return rows if is_list else rows.select_related("result")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("deployment_object", "agent", "requested_by", "retention_minutes")
        # What has not happened yet is left out.
        return (
            "object_link",
            "stack",
            "agent_name",
            "state",
            "requested_by",
            "asked",
            *(["claimed"] if obj.claimed_at else []),
            *(["ended"] if obj.completed_at else []),
            "expiry",
            *(["collected", "pod_statuses", "events", "log_tails"] if hasattr(obj, "result") else []),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001  # Django's signature
        if obj is None:
            # Django takes the fields from the model by default, but some fields of this form are not in the model.
            kwargs["fields"] = DiagnosticForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"requested_by": request.user.get_username(), **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        live = {"agent": Agent.objects.active(), "deployment_object": DeploymentObject.objects.active()}
        if db_field.name in live:
            kwargs["queryset"] = live[db_field.name]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(
            request.user.has_perm(f"diagnostics.{verb}_diagnosticrequest") for verb in ("view", "change")
        )

    def selectable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        return Created(
            request_diagnostic(
                deployment_object_id=values["deployment_object"].id,
                agent_id=values["agent"].pk,
                requested_by=values["requested_by"] or None,
                retention_minutes=values["retention_minutes"],
                actor=actor,
                now=clock.now(),
            )
        )

    @admin.display(description="asked", ordering="created_at")
    def asked(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return moment(diagnostic.created_at)

    @admin.display(description="version")
    def object_link(self, diagnostic: DiagnosticRequest) -> str:
        obj = diagnostic.deployment_object
        return link("stacks_deploymentobject_change", f"#{obj.sequence_id}", obj.pk)

    @admin.display(description="stack")
    def stack(self, diagnostic: DiagnosticRequest) -> str:
        stack = diagnostic.deployment_object.stack
        return link("stacks_stack_change", stack.name, stack.pk)

    @admin.display(description="agent", ordering="agent__name")
    def agent_name(self, diagnostic: DiagnosticRequest) -> str:
        return link("agents_agent_change", diagnostic.agent.name, diagnostic.agent_id)

    @admin.display(description="status", ordering="status")
    def state(self, diagnostic: DiagnosticRequest) -> SafeString:
        status = DiagnosticStatus(diagnostic.status)
        return badge(status, _TONES[status])

    @admin.display(description="claimed")
    def claimed(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return ago(diagnostic.claimed_at)

    @admin.display(description="ended")
    def ended(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return ago(diagnostic.completed_at)

    @admin.display(description="expires", ordering="expires_at")
    def expiry(self, diagnostic: DiagnosticRequest) -> str:
        return f"{diagnostic.expires_at:%Y-%m-%d %H:%M:%S} UTC"

    @admin.display(description="collected, by the agent's clock")
    def collected(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return ago(diagnostic.result.collected_at) if hasattr(diagnostic, "result") else None

    @admin.display(description="pods")
    def pod_statuses(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return _found(diagnostic, "pod_statuses", pods_table)

    @admin.display(description="events")
    def events(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return _found(diagnostic, "events", events_table)

    @admin.display(description="ends of logs")
    def log_tails(self, diagnostic: DiagnosticRequest) -> SafeString | None:
        return _found(diagnostic, "log_tails")


def _found(
    diagnostic: DiagnosticRequest, name: str, table_of: Callable[[Any], Table | None] | None = None
) -> SafeString | None:
    """One of the texts of the result, laid out if it is JSON, as it should be, with the version's Secrets masked; as a
    table where `table_of` finds one in it.
    """
    text: str | None = getattr(diagnostic.result, name) if hasattr(diagnostic, "result") else None
    if text is None:
        return None
    with suppress(orjson.JSONDecodeError):
        text = _laid_out(orjson.loads(text))
    (shown,) = without_secrets([(diagnostic.deployment_object.pk, text)])
    table = None
    # From what is masked already: what the table shows is never more.
    with suppress(orjson.JSONDecodeError):
        table = table_of(orjson.loads(shown)) if table_of else None
    if table is None:
        return preformatted(shown)
    rows = [[moment(cell) if isinstance(cell, datetime) else cell for cell in row] for row in table.rows]
    context = {"headers": table.headers, "rows": rows, "more": table.more, "sent": preformatted(shown)}
    return render_to_string("diagnostics/admin/found.html", context)


def _laid_out(found: Any) -> str:
    """JSON for people: texts by name, as logs are, with their own lines, all else indented."""
    if isinstance(found, dict) and found and all(isinstance(text, str) for text in found.values()):
        return "\n\n".join(f"{name}:\n{text}" for name, text in found.items())
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
