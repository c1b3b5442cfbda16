"""Rollouts: the list, and the page of one with its buttons."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from core import clock
from core.admin import (
    CappedPaginator,
    OverviewAdmin,
    Question,
    admin_actor,
    asked_about,
    detail_action,
    given_reason,
    link,
    moment,
)
from core.admin.history import history
from core.admin.live import live_view
from rollouts.admin.buttons import (
    ABORT_BUTTON,
    APPROVE,
    APPROVE_BUTTON,
    BYPASS,
    DRIVE,
    PAUSE_BUTTON,
    RESUME_BUTTON,
    ROLL_BACK_BUTTON,
    SKIP_BUTTON,
)
from rollouts.admin.running import running_context
from rollouts.admin.standing import describe, standing_context
from rollouts.admin.words import STATES, is_live, state_badge, wave_of
from rollouts.errors import WaveNotWaiting
from rollouts.models import Rollout, RolloutState
from rollouts.models.rollout import UNFINISHED
from rollouts.services import control
from rollouts.services.rollbacks import roll_back

VIEW = "rollouts.view_rollout"

PAUSE = Question(
    title="Pause the rollout",
    consequence="No further agent gets the version. Those that have it keep it.",
    button="Pause",
    asks_reason=True,
)
RESUME = Question(
    title="Resume the rollout",
    consequence="The failures there are count no more, failed checks are forgotten, and the deadline begins anew.",
    button="Resume",
    asks_reason=True,
)
ABORT = Question(
    title="Abort the rollout",
    consequence="It ends. Agents that have the version keep it, and no other gets it, until somebody publishes or "
    "rolls back.",
    button="Abort",
    is_dangerous=True,
    asks_reason=True,
)
SKIP = Question(
    title="Skip all waves",
    consequence="Every agent that serves the stack gets the version at its next poll, proven or not.",
    button="Release to everybody",
    is_dangerous=True,
    asks_reason=True,
)
ROLL_BACK = Question(
    title="Roll back",
    consequence="What everybody had before is published again as a new version, for the agents that got this one. The "
    "content that is rolled back is held when a pipeline publishes it again.",
    button="Roll back",
    is_dangerous=True,
    asks_reason=True,
)


def _ask_approval(rollout: Rollout) -> Question:
    number, waves = rollout.wave + 1, rollout.strategy.waves
    name = f" ({waves[number - 1].name})" if number <= len(waves) else ""
    return Question(
        title=f"Approve wave {number}{name}",
        consequence="The version is released to the agents of this wave.",
        button="Approve",
        asks_reason=True,
        about=str(number),
    )


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unfinished", "Not ended"), *((state.value, STATES[state][0]) for state in RolloutState)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "unfinished":
            return queryset.filter(state__in=UNFINISHED)
        return queryset.filter(state=value) if value else queryset


@admin.register(Rollout)
class RolloutAdmin(OverviewAdmin):
    empty_hint = (
        "A rollout brings a new version to the agents of a stack, wave by wave. Give a stack a strategy on its page: "
        "from then on each version that is published starts one."
    )
    list_display = (
        "version_line",
        "stack_link",
        "state_line",
        "waves_line",
        "proven_line",
        "strategy_line",
        "created",
    )
    list_filter = (StateFilter,)
    list_select_related = ("stack",)
    search_fields = ("stack__name", "strategy_name")
    search_help_text = "Stack or strategy"
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    actions_detail = ("approve", "pause", "resume", "roll_back", "skip", "abort")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rollout]:
        rows: QuerySet[Rollout] = super().get_queryset(request)
        return rows.select_related("stack", "version").defer("version__yaml_content")

    def prepare(self, rows: Sequence[Any]) -> None:
        describe(rows)

    def name_of(self, row: Rollout) -> str:
        return f"#{row.version_id} of {row.stack.name}"

    @admin.display(description="version", ordering="version")
    def version_line(self, rollout: Rollout) -> str:
        return f"#{rollout.version_id}"

    @admin.display(description="stack", ordering="stack__name")
    def stack_link(self, rollout: Rollout) -> SafeString:
        return link("stacks_stack_change", rollout.stack.name, rollout.stack_id)

    @admin.display(description="state", ordering="state")
    def state_line(self, rollout: Rollout) -> SafeString:
        return state_badge(rollout.state)

    @admin.display(description="waves released")
    def waves_line(self, rollout: Rollout) -> str:
        return wave_of(rollout)

    @admin.display(description="agents proven")
    def proven_line(self, rollout: Any) -> str:
        return f"{rollout.proven_count} of {rollout.members_count}"

    @admin.display(description="strategy", ordering="strategy_name")
    def strategy_line(self, rollout: Rollout) -> str:
        return rollout.strategy_name

    @admin.display(description="published", ordering="created_at")
    def created(self, rollout: Rollout) -> SafeString | None:
        return moment(rollout.created_at)

    def has_drive_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(DRIVE)

    def has_approve_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(APPROVE)

    def has_bypass_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(BYPASS)

    def get_urls(self) -> list[URLPattern]:
        live = [
            path("running/", live_view(self, VIEW, self._running_part), name="rollouts_rollout_running"),
            path("<uuid:pk>/live/", live_view(self, VIEW, self._standing_part), name="rollouts_rollout_live"),
        ]
        return [*live, *super().get_urls()]

    def overview(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        log = history()
        context = {
            **standing_context(row, user=request.user, now=clock.now()),
            "actions_detail": [],
            "audit_url": reverse("admin:rollouts_rollout_history", args=[row.pk])
            if log is not None and request.user.has_perm(log.permission)
            else "",
        }
        return self.render_page(request, row, "rollouts/admin/rollout.html", context)

    def _standing_part(self, request: HttpRequest, pk: UUID) -> tuple[str, dict[str, Any], bool] | None:
        row = self.get_object(request, str(pk))
        if row is None:
            return None
        context = standing_context(row, user=request.user, now=clock.now())
        return "rollouts/admin/standing.html", context, is_live(row)

    def _running_part(self, request: HttpRequest) -> tuple[str, dict[str, Any], bool]:
        return "rollouts/admin/running.html", running_context(request.user), True

    @detail_action(
        description=PAUSE_BUTTON.title,
        icon=PAUSE_BUTTON.icon,
        question=PAUSE,
        done="Paused",
        permission="drive",
    )
    def pause(self, request: HttpRequest, row: Rollout) -> None:
        control.pause(rollout_id=row.pk, **_by(request))

    @detail_action(
        description=RESUME_BUTTON.title,
        icon=RESUME_BUTTON.icon,
        question=RESUME,
        done="Resumed",
        permission="drive",
    )
    def resume(self, request: HttpRequest, row: Rollout) -> None:
        control.resume(rollout_id=row.pk, **_by(request))

    @detail_action(
        description=APPROVE_BUTTON.title,
        icon=APPROVE_BUTTON.icon,
        question=_ask_approval,
        done="Approved",
        permission="approve",
        has_plan=True,
    )
    def approve(self, request: HttpRequest, row: Rollout) -> None:
        number = asked_about(request)
        if not (number.isascii() and number.isdecimal() and len(number) < 5):
            raise WaveNotWaiting
        control.approve(rollout_id=row.pk, wave=int(number), **_by(request))

    @detail_action(
        description=ABORT_BUTTON.title,
        icon=ABORT_BUTTON.icon,
        question=ABORT,
        done="Aborted",
        permission="drive",
    )
    def abort(self, request: HttpRequest, row: Rollout) -> None:
        control.abort(rollout_id=row.pk, **_by(request))

    @detail_action(
        description=SKIP_BUTTON.title,
        icon=SKIP_BUTTON.icon,
        question=SKIP,
        done="Released to everybody",
        permission="bypass",
        has_plan=True,
    )
    def skip(self, request: HttpRequest, row: Rollout) -> None:
        control.skip(rollout_id=row.pk, **_by(request))

    @detail_action(
        description=ROLL_BACK_BUTTON.title,
        icon=ROLL_BACK_BUTTON.icon,
        question=ROLL_BACK,
        done="Rolled back",
        permission="drive",
        has_plan=True,
    )
    def roll_back(self, request: HttpRequest, row: Rollout) -> None:
        roll_back(rollout_id=row.pk, **_by(request))


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"reason": given_reason(request), "actor": admin_actor(request), "now": clock.now()}
