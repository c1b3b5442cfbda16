from dataclasses import replace
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.admin.inlines import RegistrationInline, TargetInline
from agents.admin.label_actions import LABEL_ACTIONS, LabelActions
from agents.admin.onboarding import add_agents_view, hearing_part
from agents.admin.summary import liveness_badge, status_badge, summary_of
from agents.models import Agent, AgentAnnotation, AgentLabel
from agents.querysets import ACTIVE, AgentQuerySet
from agents.services.agents import delete_agent, lock_agent, rotate_agent_pak, update_agent
from agents.silence import grace_of
from core import clock
from core.admin import (
    DeletedFilter,
    Instruction,
    Question,
    ServiceAdmin,
    admin_actor,
    ago,
    badge,
    bulk_action,
    detail_action,
    first_badges,
    one_line,
)
from core.admin.durations import DurationField, duration
from core.admin.filters import LabelFilter
from core.admin.live import live_view
from core.events import Actor
from core.labels.admin import AnnotationInline, LabelInline
from paks.admin.rotation import chosen_overlap, rotation_question

INACTIVE = "INACTIVE"
ACTIVATE = Question(
    title="Activate the agent",
    consequence="It begins to apply what the broker holds for it, at its next poll.",
    button="Activate",
)
ACTIVATE_SEVERAL = replace(
    ACTIVATE,
    title="Activate agents",
    consequence="Each agent begins to apply what the broker holds for it, at its next poll.",
)
PAUSE = Question(
    title="Pause the agent",
    consequence="It stops applying anything. What it has deployed stays in its cluster as it is.",
    button="Pause",
)
PAUSE_SEVERAL = replace(
    PAUSE,
    title="Pause agents",
    consequence="Each agent stops applying anything. What it has deployed stays in its cluster as it is.",
)
ROTATE = rotation_question(
    title="Rotate the agent's key",
    consequence="The new key is shown once, on the next page; the agent needs it before the present one ends, or it is "
    "cut off from the broker.",
)


class AgentLabelInline(LabelInline):
    model = AgentLabel


class AgentAnnotationInline(AnnotationInline):
    model = AgentAnnotation


class StatusFilter(admin.SimpleListFilter):
    """Filters by active or not: a status is free text, and only ACTIVE has a meaning."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("other", "Not active")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "active":
            return queryset.filter(status=ACTIVE)
        return queryset.exclude(status=ACTIVE) if self.value() == "other" else queryset


class HeardFilter(admin.SimpleListFilter):
    title = "heartbeat"
    parameter_name = "heard"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("alive", "Alive"), ("silent", "Silent"), ("never", "Never seen")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        agents = cast(AgentQuerySet, queryset)
        if self.value() == "alive":
            return agents.heard(clock.now())
        if self.value() == "silent":
            return agents.silent(clock.now())
        return agents.never_heard() if self.value() == "never" else queryset


@admin.register(Agent)
class AgentAdmin(LabelActions, ServiceAdmin):
    reads_first = True
    key_permission = "paks.add_pak"
    empty_hint = (
        "Add an agent for each cluster, alone or from a CSV. The next page shows its key and what starts it."
    )
    change_form_outer_before_template = "agents/admin/summary.html"
    list_display = (
        "name_line",
        "status_line",
        "label_list",
    )
    list_filter = (StatusFilter, HeardFilter, LabelFilter, DeletedFilter)
    list_select_related = ("heartbeat",)
    search_fields = ("name", "cluster_name")
    search_help_text = "Name or cluster"
    ordering = ("name", "cluster_name")
    readonly_fields = ("grace", "created", "deleted")
    inlines = (AgentLabelInline, AgentAnnotationInline, TargetInline, RegistrationInline)
    actions = ("activate_selected", "pause_selected", *LABEL_ACTIONS)
    actions_detail = ("activate", "pause", "rotate_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        rows: QuerySet[Agent] = super().get_queryset(request)
        return rows.select_related("heartbeat").prefetch_related("labels")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        grace = "silent_after_seconds" if self.has_change_permission(request, obj) else "grace"
        shown = ("name", "cluster_name", grace, "created")
        return shown if obj.deleted_at is None else (*shown, "deleted")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "silent_after_seconds":
            return DurationField(
                label="Silent after", least=1, most=2**31 - 1, required=False, help_text=db_field.help_text
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        hearing = live_view(self, "agents.view_agent", hearing_part)
        return [path("hearing/", hearing, name="agents_agent_hearing"), *super().get_urls()]

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return add_agents_view(request, self)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if context["original"] is not None:
            context["summary"] = summary_of(context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="silent after")
    def grace(self, agent: Agent) -> str:
        said = duration(int(grace_of(agent).total_seconds()))
        return said if agent.silent_after_seconds is not None else f"{said}, by the setting"

    @admin.display(description="name", ordering="name")
    def name_line(self, row: Agent) -> SafeString:
        """The name over the cluster's, so that the row fits on narrower screens."""
        return format_html(
            '{} <span class="brokkr-where">{}</span>', one_line(row.name), one_line(row.cluster_name)
        )

    @admin.display(description="status", ordering="heartbeat__last_heartbeat")
    def status_line(self, agent: Agent) -> str:
        """Whether and when it was heard; before it that it is paused, or does not reach its cluster."""
        said = [
            "" if agent.status == ACTIVE else status_badge(agent),
            liveness_badge(agent),
            badge("cluster unreachable", "bad") if agent.heartbeat.k8s_reachable is False else "",
            ago(agent.heartbeat.last_heartbeat) or "",
        ]
        return format_html("<span>{}</span>", format_html_join(" ", "{}", ((each,) for each in said if each)))

    @admin.display(description="labels")
    def label_list(self, agent: Agent) -> str | None:
        return first_badges(sorted(row.label for row in agent.labels.all()))

    @admin.display(description="created", ordering="created_at")
    def created(self, agent: Agent) -> str | None:
        return ago(agent.created_at)

    def update(self, *, row: Agent, changes: dict[str, Any], actor: Actor) -> None:
        update_agent(agent=lock_agent(row.pk), changes=changes, actor=actor)  # type: ignore[arg-type]  # the form has only these fields

    def delete(self, *, row: Agent, actor: Actor) -> None:
        delete_agent(agent=lock_agent(row.pk), actor=actor)

    def consequences(self, row: Agent) -> list[str]:
        return [
            "Its targets, registrations and events go with it, and its keys stop working.",
            "What it has deployed stays in its cluster: nobody is left to remove it.",
        ]

    def _set_status(self, agent: Agent, status: str, actor: Actor) -> bool:
        locked = lock_agent(agent.pk)
        if locked.status == status:
            return False
        update_agent(agent=locked, changes={"status": status}, actor=actor)
        return True

    # A button is shown only where it would change something.
    def has_activate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return self.has_change_permission(request, row) and (row is None or row.status != ACTIVE)

    def has_pause_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return self.has_change_permission(request, row) and (row is None or row.status == ACTIVE)

    @detail_action(
        description="Activate",
        icon="play_arrow",
        question=ACTIVATE,
        done="Activated",
        permission="activate",
        has_plan=True,
    )
    def activate(self, request: HttpRequest, agent: Agent) -> HttpResponse | None:
        self._set_status(agent, ACTIVE, admin_actor(request))
        return None

    @detail_action(
        description="Pause", icon="pause", question=PAUSE, done="Paused", permission="pause", has_plan=True
    )
    def pause(self, request: HttpRequest, agent: Agent) -> HttpResponse | None:
        self._set_status(agent, INACTIVE, admin_actor(request))
        return None

    @detail_action(description="Rotate key", icon="key", question=ROTATE, permission="issue_key")
    def rotate_key(self, request: HttpRequest, agent: Agent) -> HttpResponse:
        key = rotate_agent_pak(
            agent=lock_agent(agent.pk), actor=admin_actor(request), overlap=chosen_overlap(request)
        )
        return self.show_key(request, agent, key)

    @bulk_action(
        description="Activate",
        question=ACTIVATE_SEVERAL,
        of_one=ACTIVATE,
        done="Agents activated",
        has_plan=True,
    )
    def activate_selected(self, agent: Agent, instruction: Instruction) -> bool:
        return self._set_status(agent, ACTIVE, instruction.actor)

    @bulk_action(
        description="Pause", question=PAUSE_SEVERAL, of_one=PAUSE, done="Agents paused", has_plan=True
    )
    def pause_selected(self, agent: Agent, instruction: Instruction) -> bool:
        return self._set_status(agent, INACTIVE, instruction.actor)
