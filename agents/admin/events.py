from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from agents.models import AgentEvent
from agents.models.event import EventStatus
from core.admin import (
    CappedPaginator,
    DeletedFilter,
    ReadOnlyAdmin,
    TimeRangeFilter,
    badge,
    link,
    moment,
    shortened,
)
from stacks.secret_values import without_secrets


@admin.register(AgentEvent)
class AgentEventAdmin(ReadOnlyAdmin):
    empty_hint = (
        "Agents report here what they have applied. They do so once they are active and a stack that has a version "
        "reaches them: the page of an agent says which do."
    )
    list_display = (
        "reported",
        "agent_name",
        "stack",
        "object_link",
        "kind",
        "outcome",
        "short_message",
        "count",
    )
    list_filter = (
        "status",
        ("agent", AutocompleteSelectFilter),
        ("created_at", TimeRangeFilter),
        DeletedFilter,
    )
    search_fields = ("^agent__name",)
    search_help_text = "Beginning of the agent's name"
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    fields = (
        "agent",
        "stack",
        "object_link",
        "kind",
        "outcome",
        "whole_message",
        "count",
        "reported",
        "repeated",
        "id",
    )
    readonly_fields = fields
    # A list filtered by it would tell hidden values letter by letter.
    secret_fields = frozenset({"message", "yaml_content"})
    is_audited = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentEvent]:
        rows: QuerySet[AgentEvent] = super().get_queryset(request)
        return rows.select_related("agent", "deployment_object__stack").defer(
            "deployment_object__yaml_content"
        )

    def prepare(self, rows: Sequence[Any]) -> None:
        messages = without_secrets((event.deployment_object.pk, event.message) for event in rows)
        for event, message in zip(rows, messages, strict=True):
            event.shown_message = message

    def name_of(self, row: AgentEvent) -> str:
        version = row.deployment_object
        return f"#{version.sequence_id} of {version.stack.name} on {row.agent.name}"

    @admin.display(description="reported", ordering="created_at")
    def reported(self, event: AgentEvent) -> str | None:
        return moment(event.created_at)

    @admin.display(description="last repeated")
    def repeated(self, event: AgentEvent) -> str | None:
        return moment(event.updated_at) if event.count > 1 else None

    @admin.display(description="agent", ordering="agent__name")
    def agent_name(self, event: AgentEvent) -> str:
        return link("agents_agent_change", event.agent.name, event.agent_id)

    @admin.display(description="stack")
    def stack(self, event: AgentEvent) -> str:
        stack = event.deployment_object.stack
        return link("stacks_stack_change", stack.name, stack.pk)

    @admin.display(description="version")
    def object_link(self, event: AgentEvent) -> str:
        obj = event.deployment_object
        return link("stacks_deploymentobject_change", f"#{obj.sequence_id}", obj.pk)

    @admin.display(description="event type", ordering="event_type")
    def kind(self, event: AgentEvent) -> str:
        return event.event_type.lower()

    @admin.display(description="outcome", ordering="status")
    def outcome(self, event: AgentEvent) -> str:
        return badge(event.status.lower(), "good" if event.status == EventStatus.SUCCESS else "bad")

    @admin.display(description="message")
    def short_message(self, event: Any) -> str | None:
        return shortened(event.shown_message)

    @admin.display(description="message")
    def whole_message(self, event: Any) -> str | None:
        return cast(str, event.shown_message) or None
