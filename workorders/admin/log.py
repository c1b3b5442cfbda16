from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from agents.models import Agent
from core import clock
from core.admin import (
    Instruction,
    Question,
    ReadOnlyAdmin,
    TimeRangeFilter,
    admin_actor,
    age,
    ago,
    badge,
    badges,
    bulk_action,
    detail_action,
    moment,
)
from core.admin.durations import duration
from workorders.admin.addressees import Addressees, addressees_of_entries
from workorders.admin.common import (
    OrderPages,
    WorkTypeFilter,
    agent_link,
    agent_list,
    annotation_badges,
    message,
)
from workorders.models import WorkOrderLogEntry
from workorders.services.orders import requeue_from_log

REQUEUE = Question(
    title="Requeue the work order",
    consequence="A new order is made with the same content, targeting and limits. Any agent that meets the targeting "
    "now may claim it.",
    button="Requeue",
)
REQUEUE_SEVERAL = replace(
    REQUEUE,
    title="Requeue work orders",
    consequence="For each, a new order is made with the same content, targeting and limits. Any agent that meets the "
    "targeting now may claim it.",
)


@admin.register(WorkOrderLogEntry)
class WorkOrderLogEntryAdmin(OrderPages, ReadOnlyAdmin):
    empty_hint = "Work orders come here when they have succeeded, or have failed with no attempt left."
    list_display = ("work_type", "outcome", "for_whom", "holder", "retries", "finished")
    list_filter = (
        "success",
        WorkTypeFilter,
        ("claimed_by", AutocompleteSelectFilter),
        ("completed_at", TimeRangeFilter),
    )
    ordering = ("-completed_at", "-id")
    long_texts = ("yaml_content", "result_message")
    actions = ("requeue_selected",)
    actions_detail = ("requeue",)
    secret_fields = frozenset({"yaml_content", "result_message"})
    fields = (
        "order_id",
        "work_type",
        "outcome",
        "claimant",
        "result",
        "retries",
        "created",
        "claimed",
        "finished",
        "limits",
        "target_agents",
        "target_labels",
        "target_annotations",
        "yaml",
    )
    readonly_fields = fields

    def addressees(self, rows: Sequence[Any]) -> Mapping[UUID, Addressees]:
        return addressees_of_entries(rows)

    def happened(self, row: WorkOrderLogEntry) -> str:
        return f"{'completed' if row.success else 'failed'} {age(row.completed_at)}"

    def has_requeue_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("workorders.add_workorder")

    @admin.display(description="outcome", ordering="success")
    def outcome(self, entry: WorkOrderLogEntry) -> SafeString:
        return badge("completed", "good") if entry.success else badge("failed", "bad")

    @admin.display(description="last claimed by")
    def claimant(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return agent_link(entry.claimed_by)

    @admin.display(description="finished", ordering="completed_at")
    def finished(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return moment(entry.completed_at)

    @admin.display(description="retries", ordering="retries_attempted")
    def retries(self, entry: WorkOrderLogEntry) -> int:
        return entry.retries_attempted

    @admin.display(description="created")
    def created(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return ago(entry.created_at)

    @admin.display(description="last claimed")
    def claimed(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return ago(entry.claimed_at)

    @admin.display(description="result")
    def result(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return message(entry.result_message, entry.yaml_content)

    @admin.display(description="limits")
    def limits(self, entry: WorkOrderLogEntry) -> str:
        return (
            f"{entry.max_retries} {'retry' if entry.max_retries == 1 else 'retries'}, "
            f"back-off {duration(entry.backoff_seconds)}, claims of {duration(entry.claim_timeout_seconds)}"
        )

    @admin.display(description="for agents")
    def target_agents(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return agent_list(Agent.objects.filter(pk__in=entry.targeting["agent_ids"]).order_by("name"))

    @admin.display(description="for labels")
    def target_labels(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return badges(entry.targeting["labels"])

    @admin.display(description="for annotations")
    def target_annotations(self, entry: WorkOrderLogEntry) -> SafeString | None:
        return annotation_badges(entry.targeting["annotations"])

    @detail_action(description="Requeue", icon="replay", question=REQUEUE, permission="requeue")
    def requeue(self, request: HttpRequest, entry: WorkOrderLogEntry) -> HttpResponse:
        order = requeue_from_log(entry_id=entry.pk, actor=admin_actor(request), now=clock.now())
        self.message_user(request, f"Made anew: {order}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:workorders_workorder_change", args=[order.pk]))

    @bulk_action(
        description="Requeue",
        question=REQUEUE_SEVERAL,
        of_one=REQUEUE,
        done="Work orders made anew",
        permission="requeue",
    )
    def requeue_selected(self, entry: WorkOrderLogEntry, instruction: Instruction) -> bool:
        requeue_from_log(entry_id=entry.pk, actor=instruction.actor, now=clock.now())
        return True
