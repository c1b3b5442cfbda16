"""Removals that are owed to agents: what goes by each, and the button for those that wait for a yes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.admin.standing import agent_link, stack_link
from agents.models import Agent, MarkerDelivery, StackReport
from core import clock
from core.admin import (
    CappedPaginator,
    Instruction,
    Question,
    ReadOnlyAdmin,
    admin_actor,
    badge,
    bulk_action,
    detail_action,
    moment,
    one_line,
)
from core.admin.columns import register_column
from core.events import Actor
from inventory.models import Entry
from sync.removals import reason_of
from sync.services import confirm_removals, waiting_removals

_REASONS = {
    "stack_deleted": "the stack was deleted",
    "not_served": "the agent serves it no longer",
    "marker_published": "a deletion marker was published",
}
_SHOWN = 100
_MAY_CONFIRM = "agents.change_markerdelivery"


class _WaitsFilter(admin.SimpleListFilter):
    title = "the agent"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "waits for a confirmation")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=waiting_removals().values("pk"))


def _question(row: MarkerDelivery) -> Question:
    _, objects = _objects_of([row]).get(row.pk, (0, []))
    named = ", ".join(objects) or "what it has applied of it, which the broker does not know"
    return Question(
        title="Confirm the removal",
        consequence=f"The agent deletes in its cluster all that it has of the stack {row.marker.stack.name}: {named}.",
        button="Let the agent remove it",
        is_dangerous=True,
        asks_reason=True,
    )


_CONFIRM_ALL = Question(
    title="Confirm removals",
    consequence="Each agent deletes in its cluster all that it has of the stack. The page of a removal names the "
    "objects.",
    button="Let the agents remove them",
    is_dangerous=True,
    asks_reason=True,
)


@admin.register(MarkerDelivery)
class RemovalAdmin(ReadOnlyAdmin):
    empty_hint = (
        "No agent has to remove anything. A removal is here from the moment that a stack is deleted, or taken from an "
        "agent, until the agent says that it is done."
    )
    # The first column leads to the removal, so it can hold no link of its own.
    list_display = ("agent_name", "stack_line", "why", "objects", "owed", "state")
    list_filter = (_WaitsFilter,)
    search_fields = ("agent__name", "marker__stack__name")
    search_help_text = "Agent or stack"
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    fields = ("agent_line", "stack_line", "why", "owed", "state", "named_objects")
    actions = ("confirm_selected",)
    actions_detail = ("confirm",)
    is_audited = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarkerDelivery]:
        rows: QuerySet[MarkerDelivery] = super().get_queryset(request)
        return rows.select_related("agent", "marker__stack").defer("marker__yaml_content")

    def prepare(self, rows: Sequence[MarkerDelivery]) -> None:
        found = _objects_of(rows)
        for row in rows:
            row.removed_count, row.removed_objects = found.get(row.pk, (None, []))  # type: ignore[attr-defined]

    def name_of(self, row: MarkerDelivery) -> str:
        return f"{row.marker.stack.name} from {row.agent}"

    def has_confirm_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return request.user.has_perm(_MAY_CONFIRM) and (row is None or row.confirmed_at is None)

    @admin.display(description="agent", ordering="agent__name")
    def agent_name(self, row: MarkerDelivery) -> SafeString:
        return one_line(row.agent.name)

    @admin.display(description="agent")
    def agent_line(self, row: MarkerDelivery) -> SafeString:
        return agent_link(row.agent)

    @admin.display(description="stack", ordering="marker__stack__name")
    def stack_line(self, row: MarkerDelivery) -> SafeString:
        return stack_link(row.marker.stack)

    @admin.display(description="why")
    def why(self, row: MarkerDelivery) -> str:
        return _REASONS[reason_of(row.marker)]

    @admin.display(description="objects")
    def objects(self, row: MarkerDelivery) -> str:
        count = row.removed_count  # type: ignore[attr-defined]
        return "unknown" if count is None else str(count)

    @admin.display(description="objects that go")
    def named_objects(self, row: MarkerDelivery) -> SafeString | str:
        count, named = row.removed_count, row.removed_objects  # type: ignore[attr-defined]
        if count is None:
            return "The agent has not said which version it has."
        more = f"and {count - len(named)} more" if count > len(named) else ""
        listed = format_html_join("", "<li>{}</li>", ((name,) for name in named))
        return format_html("<ul>{}</ul>{}", listed, more)

    @admin.display(description="owed", ordering="created_at")
    def owed(self, row: MarkerDelivery) -> SafeString | None:
        return moment(row.created_at)

    @admin.display(description="state")
    def state(self, row: MarkerDelivery) -> SafeString:
        if row.confirmed_at is not None:
            return badge("confirmed", "good")
        if row.waits_since is not None:
            return badge("waits for a confirmation", "bad")
        return badge("under way", "quiet")

    @detail_action(
        description="Confirm", icon="check", question=_question, done="Confirmed", permission="confirm"
    )
    def confirm(self, request: HttpRequest, row: MarkerDelivery) -> None:
        _confirm(row, admin_actor(request))

    @bulk_action(
        description="Confirm",
        question=_CONFIRM_ALL,
        of_one=_question,
        done="Removals confirmed",
        permission="confirm",
    )
    def confirm_selected(self, row: MarkerDelivery, instruction: Instruction) -> bool:
        if row.confirmed_at is not None:
            return False
        _confirm(row, instruction.actor)
        return True


def _confirm(row: MarkerDelivery, actor: Actor) -> None:
    confirm_removals(agent_id=row.agent_id, object_ids=[row.marker.id], actor=actor, now=clock.now())


def _objects_of(rows: Sequence[MarkerDelivery]) -> dict[UUID, tuple[int, list[str]]]:
    """By removal, how many objects the version has that the agent last reported. Of one alone also their names, at most
    _SHOWN: a list has no place for them.
    """
    reports = StackReport.objects.filter(
        agent__in={row.agent_id for row in rows}, stack__in={row.marker.stack_id for row in rows}
    )
    reported = {(report.agent_id, report.stack_id): report.sequence_id for report in reports}
    versions = {row.pk: reported.get((row.agent_id, row.marker.stack_id)) for row in rows}
    entries = Entry.objects.filter(version__in=set(versions.values()) - {None}, image=None)
    counts = dict(entries.values_list("version").annotate(Count("pk")).order_by())
    names: dict[int, list[str]] = {}
    if len(rows) == 1:
        for entry in entries.select_related("resource").order_by("resource_id")[:_SHOWN]:
            names.setdefault(entry.version_id, []).append(str(entry.resource))
    return {
        pk: (counts.get(version, 0), names.get(version, []))
        for pk, version in versions.items()
        if version is not None
    }


def _waiting_of(agents: Sequence[Agent]) -> dict[UUID, SafeString]:
    rows = waiting_removals().filter(agent__in=[agent.pk for agent in agents])
    counts = rows.values_list("agent", "agent__name").annotate(Count("pk")).order_by()
    address = reverse("admin:agents_markerdelivery_changelist")
    return {
        pk: format_html('<a href="{}?waits=yes&q={}">{} to confirm</a>', address, name, count)
        for pk, name, count in counts
    }


register_column(Agent, "removals", "removals", _waiting_of, "agents.view_markerdelivery")
