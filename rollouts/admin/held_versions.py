"""Held versions: why each is not for everybody yet, and the button that releases one."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from agents.models import HoldReason, VersionHold
from core import clock
from core.admin import (
    CappedPaginator,
    Question,
    ReadOnlyAdmin,
    admin_actor,
    detail_action,
    given_reason,
    link,
    moment,
)
from rollouts.admin.words import HOLDS
from rollouts.services.person_releases import release_version

RELEASE = Question(
    title="Release the version",
    consequence="It reaches the agents by the stack's strategy, or all of them at once where the stack has none. It is "
    "for versions whose content was rolled back before, and for those whose rollout was aborted.",
    button="Release",
    asks_reason=True,
)


@admin.register(VersionHold)
class VersionHoldAdmin(ReadOnlyAdmin):
    empty_hint = (
        "Every version is for everybody. Here are those that wait: for the waves of a rollout, for the end of a "
        "freeze, or for somebody who releases content that was rolled back."
    )
    list_display = ("version_line", "stack_line", "why", "held")
    list_filter = ("reason",)
    list_select_related = ("version__stack",)
    search_fields = ("version__stack__name",)
    search_help_text = "Stack"
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    fields = ("version_link", "stack_line", "why", "held")
    actions_detail = ("release",)
    is_audited = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[VersionHold]:
        rows: QuerySet[VersionHold] = super().get_queryset(request)
        return rows.select_related("version__stack").defer("version__yaml_content")

    def name_of(self, row: VersionHold) -> str:
        return f"#{row.version_id} of {row.version.stack.name}"

    def has_release_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("rollouts.approve")

    @admin.display(description="version", ordering="version")
    def version_line(self, row: VersionHold) -> str:
        return f"#{row.version_id}"

    @admin.display(description="version")
    def version_link(self, row: VersionHold) -> SafeString:
        return link("stacks_deploymentobject_change", f"#{row.version_id}", row.version_id)

    @admin.display(description="stack", ordering="version__stack__name")
    def stack_line(self, row: VersionHold) -> SafeString:
        return link("stacks_stack_change", row.version.stack.name, row.version.stack_id)

    @admin.display(description="why", ordering="reason")
    def why(self, row: VersionHold) -> str:
        return HOLDS[HoldReason(row.reason)]

    @admin.display(description="held", ordering="created_at")
    def held(self, row: VersionHold) -> SafeString | None:
        return moment(row.created_at)

    @detail_action(
        description="Release",
        icon="lock_open",
        question=RELEASE,
        done="Released",
        permission="release",
        has_plan=True,
    )
    def release(self, request: HttpRequest, row: VersionHold) -> HttpResponse:
        rollout = release_version(
            version=row.version, reason=given_reason(request), actor=admin_actor(request), now=clock.now()
        )
        self.message_user(request, f"Released: {self.name_of(row)}.", messages.SUCCESS)
        # The hold may be over, and its page with it.
        if rollout is None:
            return HttpResponseRedirect(reverse("admin:stacks_stack_objects", args=[row.version.stack_id]))
        return HttpResponseRedirect(reverse("admin:rollouts_rollout_change", args=[rollout.pk]))
