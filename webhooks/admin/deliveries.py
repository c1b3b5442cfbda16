from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core import clock
from core.admin import (
    CappedPaginator,
    Instruction,
    Question,
    ReadOnlyAdmin,
    TimeRangeFilter,
    admin_actor,
    badge,
    badges,
    bulk_action,
    detail_action,
    link,
    moment,
    preformatted,
    shortened,
)
from core.admin.filters import TypedFilter
from webhooks.admin.preview import shown_body
from webhooks.models import Delivery, Status, Subscription
from webhooks.services.deliveries import redeliver

# An event and its deliveries are written together; this margin is for clocks that are set back.
_NEAR_MS = 60_000
_LAST_MS = 2**48 - 1
REDELIVER = Question(
    title="Send the delivery again",
    consequence="It is sent again under its id, with all its attempts. A receiver that has had it, and remembers ids, "
    "takes no notice.",
    button="Send again",
)
REDELIVER_SEVERAL = replace(
    REDELIVER,
    title="Send deliveries again",
    consequence="Each is sent again under its id, with all its attempts. A receiver that has had it, and remembers "
    "ids, takes no notice.",
)
_TONES = {
    Status.PENDING: "quiet",
    Status.ACQUIRED: "quiet",
    Status.SUCCESS: "good",
    Status.FAILED: "bad",
    Status.DEAD: "bad",
}


class EventTypeFilter(TypedFilter):
    title = "event type, like stack.deleted"
    parameter_name = column = "event_type"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    empty_hint = (
        "There is one for each event that an enabled webhook asks for, until some days after it was sent."
    )
    list_display = ("what", "webhook", "state", "attempts", "created", "next_attempt", "error")
    list_filter = (
        "status",
        ("subscription", AutocompleteSelectFilter),
        EventTypeFilter,
        ("created_at", TimeRangeFilter),
    )
    search_fields = ("id",)
    search_help_text = "A delivery's or an event's id"
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    actions = ("redeliver_selected",)
    actions_detail = ("redeliver",)
    is_audited = False
    secret_fields = frozenset({"payload", "lease"})
    fields = (
        "what",
        "webhook",
        "state",
        "attempts",
        "tried",
        "next_attempt",
        "ended",
        "whole_error",
        "delivered_by",
        "holder",
        "created",
        "delivery_id",
        "event",
        "body",
    )
    readonly_fields = fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # What has not happened is left out.
        happened = {
            "tried": "last_attempt_at",
            "next_attempt": "next_retry_at",
            "ended": "completed_at",
            "whole_error": "last_error",
            "holder": "acquired_by_id",
        }
        return [name for name in self.fields if name not in happened or getattr(obj, happened[name], None)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request)
        rows = rows.filter(subscription__deleted_at__isnull=True)
        rows = rows.select_related("subscription", "audience", "acquired_by")
        match = request.resolver_match
        # Bodies may be long, and no list shows them.
        is_list = match is not None and match.url_name == "webhooks_delivery_changelist"
        return rows.defer("payload") if is_list else rows

    def has_redeliver_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("webhooks.change_delivery")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(Q(pk=wanted) | _of_event(wanted)), False

    @admin.display(description="event type", ordering="event_type")
    def what(self, row: Delivery) -> str:
        return row.event_type

    @admin.display(description="webhook")
    def webhook(self, row: Delivery) -> SafeString:
        return link("webhooks_subscription_change", row.subscription, row.subscription_id)

    @admin.display(description="status", ordering="status")
    def state(self, row: Delivery) -> SafeString:
        return badge(row.status, _TONES[Status(row.status)])

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Delivery) -> SafeString | None:
        return moment(row.created_at)

    @admin.display(description="last attempt")
    def tried(self, row: Delivery) -> SafeString | None:
        return moment(row.last_attempt_at)

    @admin.display(description="next attempt")
    def next_attempt(self, row: Delivery) -> str | None:
        return f"{row.next_retry_at:%Y-%m-%d %H:%M:%S} UTC" if row.next_retry_at else None

    @admin.display(description="ended")
    def ended(self, row: Delivery) -> SafeString | None:
        return moment(row.completed_at)

    @admin.display(description="last error")
    def error(self, row: Delivery) -> SafeString | str | None:
        return shortened(row.last_error)

    @admin.display(description="last error")
    def whole_error(self, row: Delivery) -> SafeString | None:
        return preformatted(row.last_error) if row.last_error else None

    @admin.display(description="delivered by")
    def delivered_by(self, row: Delivery) -> SafeString | str | None:
        return "the broker" if row.audience is None else badges(row.target_labels or [])

    @admin.display(description="taken by")
    def holder(self, row: Delivery) -> SafeString | None:
        agent = row.acquired_by
        return link("agents_agent_change", agent, agent.pk) if agent else None

    @admin.display(description="delivery id")
    def delivery_id(self, row: Delivery) -> SafeString:
        return format_html('<span class="brokkr-mono">{}</span>', row.pk)

    @admin.display(description="webhook-id")
    def event(self, row: Delivery) -> SafeString:
        return format_html('<span class="brokkr-mono">{}</span>', row.event_id)

    @admin.display(description="body")
    def body(self, row: Delivery) -> SafeString:
        return preformatted(shown_body(row.payload, row.format))

    @detail_action(
        description="Send again",
        icon="replay",
        question=REDELIVER,
        done="Sent again soon",
        permission="redeliver",
    )
    def redeliver(self, request: HttpRequest, row: Delivery) -> HttpResponse | None:
        redeliver(delivery_id=row.pk, actor=admin_actor(request), now=clock.now())
        return None

    @bulk_action(
        description="Send again",
        question=REDELIVER_SEVERAL,
        of_one=REDELIVER,
        done="Deliveries sent again soon",
        permission="redeliver",
    )
    def redeliver_selected(self, row: Delivery, instruction: Instruction) -> bool:
        redeliver(delivery_id=row.pk, actor=instruction.actor, now=clock.now())
        return True


def _of_event(event_id: UUID) -> Q:
    """The deliveries of an event. They are found by their ids, which begin with the time like the event's id.

    There is no index on the event. Of a webhook with a limit, deliveries are written later, and never many.
    """
    at = event_id.int >> 80
    first, last = (UUID(int=min(max(0, at + ms), _LAST_MS) << 80) for ms in (-_NEAR_MS, _NEAR_MS))
    limited = Subscription.objects.filter(max_deliveries_per_minute__isnull=False)
    late = Q(subscription__in=list(limited.values_list("pk", flat=True)))
    return Q(event_id=event_id, pk__gte=first) & (Q(pk__lt=last) | late)
