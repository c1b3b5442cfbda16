from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core import clock
from core.admin import (
    Created,
    Instruction,
    Question,
    ServiceAdmin,
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
from core.events import Actor
from workorders.admin.addressees import Addressees, addressees_of_orders
from workorders.admin.common import (
    OrderPages,
    WorkTypeFilter,
    agent_link,
    agent_list,
    agents_able,
    annotation_badges,
    message,
)
from workorders.admin.forms import WorkOrderForm, targeting_of
from workorders.models import Status, WorkOrder
from workorders.services.orders import cancel_work_order, create_work_order
from workorders.services.targeting import Targeting

PREVIEW = "_preview"
CANCEL = Question(
    title="Cancel the work order",
    consequence="It is removed for good, and is not in the log of finished ones. An agent that works on it is told so "
    "only when it reports.",
    button="Cancel order",
    is_dangerous=True,
    asks_reason=True,
)
CANCEL_SEVERAL = replace(
    CANCEL,
    title="Cancel work orders",
    consequence="These orders are removed for good, and are not in the log of finished ones. An agent that works "
    "on one of them is told so only when it reports.",
    button="Cancel orders",
)
_TONES = {Status.PENDING: "quiet", Status.CLAIMED: "good", Status.RETRY_PENDING: "wait"}


@admin.register(WorkOrder)
class WorkOrderAdmin(OrderPages, ServiceAdmin):
    """Orders are only made and cancelled here. Agents and the periodic jobs do everything else."""

    form = WorkOrderForm
    empty_hint = (
        "Nothing waits to be done. Add an order to have one of the agents that you name do something once, like a "
        "build."
    )
    change_form_after_template = "workorders/admin/preview.html"
    list_display = ("work_type", "state", "for_whom", "holder", "retries", "created")
    list_filter = (
        "status",
        WorkTypeFilter,
        ("claimed_by", AutocompleteSelectFilter),
        ("created_at", TimeRangeFilter),
    )
    ordering = ("-created_at", "-id")
    long_texts = ("yaml_content",)
    actions = ("cancel_selected",)
    actions_detail = ("cancel",)
    secret_fields = frozenset({"yaml_content", "last_error", "claim_token"})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                "work_type",
                "yaml_content",
                "agents",
                "labels",
                "annotations",
                "max_retries",
                "backoff_seconds",
                "claim_timeout_seconds",
            )
        # What has not happened is left out.
        return (
            "order_id",
            "work_type",
            "state",
            *(["claimant", "claimed", "claim_ends"] if obj.claimed_at else []),
            "retries",
            *(["next_retry"] if obj.next_retry_after else []),
            *(["error"] if obj.last_error else []),
            "created",
            "limits",
            "target_agents",
            "target_labels",
            "target_annotations",
            "able",
            "yaml",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001  # Django's signature
        if obj is None:
            # Django takes the fields from the model by default, but some fields of this form are not in the model.
            kwargs["fields"] = WorkOrderForm.Meta.fields
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.is_preview = PREVIEW in request.POST
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(f"workorders.{verb}_workorder") for verb in ("view", "change"))

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("workorders.delete_workorder")

    def selectable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    def addressees(self, rows: Sequence[Any]) -> Mapping[UUID, Addressees]:
        return addressees_of_orders(rows)

    def happened(self, row: WorkOrder) -> str:
        return f"created {age(row.created_at)}"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        form = context["adminform"].form
        if getattr(form, "is_preview", False) and (targeting := form.targeting()) is not None:
            agents, more = agents_able(targeting)
            context["preview"] = {"agents": agents, "more": more}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="status", ordering="status")
    def state(self, order: WorkOrder) -> SafeString:
        status = Status(order.status)
        return badge(status.label.lower(), _TONES[status])

    @admin.display(description="claimed by")
    def claimant(self, order: WorkOrder) -> SafeString | None:
        return agent_link(order.claimed_by)

    @admin.display(description="claimed")
    def claimed(self, order: WorkOrder) -> SafeString | None:
        return ago(order.claimed_at)

    @admin.display(description="claim ends")
    def claim_ends(self, order: WorkOrder) -> str | None:
        return f"{order.claim_expires_at:%Y-%m-%d %H:%M:%S} UTC" if order.claim_expires_at else None

    @admin.display(description="retries", ordering="retry_count")
    def retries(self, order: WorkOrder) -> str:
        return f"{order.retry_count} of {order.max_retries}"

    @admin.display(description="next retry")
    def next_retry(self, order: WorkOrder) -> str | None:
        return f"{order.next_retry_after:%Y-%m-%d %H:%M:%S} UTC" if order.next_retry_after else None

    @admin.display(description="last error")
    def error(self, order: WorkOrder) -> SafeString | None:
        return message(order.last_error, order.yaml_content)

    @admin.display(description="created", ordering="created_at")
    def created(self, order: WorkOrder) -> SafeString | None:
        return moment(order.created_at)

    @admin.display(description="limits")
    def limits(self, order: WorkOrder) -> str:
        claims = duration(order.claim_timeout_seconds)
        return f"back-off {duration(order.backoff_seconds)}, claims of {claims}"

    @admin.display(description="for agents")
    def target_agents(self, order: WorkOrder) -> SafeString | None:
        return agent_list(row.agent for row in order.targets.select_related("agent").order_by("agent__name"))

    @admin.display(description="for labels")
    def target_labels(self, order: WorkOrder) -> SafeString | None:
        return badges(order.labels.order_by("label").values_list("label", flat=True))

    @admin.display(description="for annotations")
    def target_annotations(self, order: WorkOrder) -> SafeString | None:
        return annotation_badges(dict(order.annotations.values_list("key", "value")))

    @admin.display(description="agents that could claim it")
    def able(self, order: WorkOrder) -> SafeString:
        targeting = Targeting(
            list(order.targets.values_list("agent_id", flat=True)),
            list(order.labels.values_list("label", flat=True)),
            dict(order.annotations.values_list("key", "value")),
        )
        agents, more = agents_able(targeting)
        return agent_list(agents, more=more) or badge("none at present", "bad")

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        return Created(
            create_work_order(
                work_type=values["work_type"],
                yaml_content=values["yaml_content"],
                targeting=targeting_of(values),
                max_retries=values["max_retries"],
                backoff_seconds=values["backoff_seconds"],
                claim_timeout_seconds=values["claim_timeout_seconds"],
                actor=actor,
                now=clock.now(),
            )
        )

    @detail_action(description="Cancel", icon="block", question=CANCEL, permission="cancel")
    def cancel(self, request: HttpRequest, order: WorkOrder) -> HttpResponse:
        cancel_work_order(work_order_id=order.pk, actor=admin_actor(request))
        self.message_user(request, f"Cancelled: {self.name_of(order)}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:workorders_workorder_changelist"))

    @bulk_action(
        description="Cancel",
        question=CANCEL_SEVERAL,
        of_one=CANCEL,
        done="Work orders cancelled",
        permission="cancel",
    )
    def cancel_selected(self, order: WorkOrder, instruction: Instruction) -> bool:
        cancel_work_order(work_order_id=order.pk, actor=instruction.actor)
        return True
