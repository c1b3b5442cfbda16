from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from agents.models import Agent
from core import clock
from core.admin import (
    Created,
    DeletedFilter,
    Instruction,
    OtherWay,
    Question,
    ServiceAdmin,
    admin_actor,
    ago,
    badge,
    badges,
    bulk_action,
    detail_action,
    link,
    object_link,
    takes_other_way,
)
from core.admin.durations import duration
from core.events import Actor
from stacks.models import Stack
from webhooks.admin.forms import SubscriptionForm, changes_of
from webhooks.admin.preview import preview_box, preview_view
from webhooks.formats import Format
from webhooks.models import Delivery, Status, Subscription
from webhooks.services.subscriptions import (
    create_subscription,
    delete_subscription,
    lock_subscription,
    rotate_secret,
    update_subscription,
)
from webhooks.services.trial import send_test

OVERLAP = timedelta(days=1)
TEST = Question(
    title="Send a test event",
    consequence="One signed webhook.test is sent from the broker now. The next page says what the endpoint answered.",
    button="Send",
)
ENABLE = Question(
    title="Enable the webhook",
    consequence="It hears of events again, and what has waited for it is sent.",
    button="Enable",
)
ENABLE_SEVERAL = replace(
    ENABLE,
    title="Enable webhooks",
    consequence="They hear of events again, and what has waited for them is sent.",
)
DISABLE = Question(
    title="Disable the webhook",
    consequence="It hears of nothing more. What waits for it waits on, for as long as deliveries are kept.",
    button="Disable",
)
DISABLE_SEVERAL = replace(
    DISABLE,
    title="Disable webhooks",
    consequence="They hear of nothing more. What waits for them waits on, for as long as deliveries are kept.",
)
ROTATE = Question(
    title="Replace the secret",
    consequence="The new secret is shown once, on the next page. For a day every request carries a signature of "
    "each; then the present one ends.",
    button="Replace",
    other_way=OtherWay(
        consequence="If the present one has leaked, end it now: until the receiver has the new one, it refuses what it "
        "is sent.",
        button="Replace at once",
    ),
)


@admin.register(Subscription)
class SubscriptionAdmin(ServiceAdmin):
    key_noun = "secret"
    key_note = (
        "The receiver verifies with it that what it gets comes from this broker. A lost secret is not shown again, "
        "only replaced by a new one."
    )
    form = SubscriptionForm
    empty_hint = "Add a webhook to have another system told, by HTTP, of what happens here."
    list_display = ("name_line", "state", "asked_for", "delivered_by", "waiting", "dead", "created")
    list_filter = ("enabled", DeletedFilter)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("-created_at", "-id")
    readonly_fields = ("preview", "deliveries", "created", "changed", "old_secret", "deleted")
    actions = ("enable_selected", "disable_selected")
    actions_detail = ("test", "enable", "disable", "rotate")
    secret_fields = frozenset({"url_sealed", "auth_header_sealed", "secret_sealed", "previous_secret_sealed"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        rows: QuerySet[Subscription] = super().get_queryset(request)
        return rows.select_related("audience").prefetch_related("patterns")

    def prepare(self, rows: Sequence[Any]) -> None:
        open_ones = [Status.PENDING, Status.ACQUIRED, Status.FAILED]
        counted = (
            # Successes are not counted: to count a week of them takes longer than the rest of the page.
            Delivery.objects.filter(subscription__in=rows, status__in=[*open_ones, Status.DEAD])
            .order_by()
            .values("subscription")
            .annotate(
                waiting=Count("pk", filter=Q(status__in=open_ones)),
                dead=Count("pk", filter=Q(status=Status.DEAD)),
            )
        )
        counts = {count["subscription"]: count for count in counted}
        for row in rows:
            row.delivery_counts = counts.get(row.pk, {"waiting": 0, "dead": 0})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        given = (
            "name",
            "enabled",
            "url",
            "auth_header",
            "event_types",
            "stack_id",
            "agent_id",
            "target_labels",
            "format",
            "preview",
            "max_retries",
            "timeout_seconds",
            "max_deliveries_per_minute",
        )
        if obj is None:
            return given
        if obj.deleted_at is not None:
            return ("name", "created", "changed", "deleted")
        if not self.has_change_permission(request, obj):
            # The values of the form's own fields, for users who may only look.
            about = ("name", "state", "asked_for", "about", "delivered_by", "format", "preview")
            return (
                *about,
                "max_retries",
                "timeout",
                "max_deliveries_per_minute",
                "deliveries",
                "old_secret",
                "created",
                "changed",
            )
        return (*given[:4], "no_auth_header", *given[4:], "deliveries", "old_secret", "created", "changed")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001  # Django's signature
        if obj is None or self.has_change_permission(request, obj):
            # Django takes the fields from the model by default, but some fields of this form are not in the model.
            kwargs["fields"] = SubscriptionForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        preview = path("preview/", preview_view(self), name="webhooks_subscription_preview")
        # Before the patterns of the base, of which one takes everything.
        return [preview, *super().get_urls()]

    @admin.display(description="an example")
    def preview(self, row: Subscription) -> SafeString:
        return preview_box(Format(row.format))

    @admin.display(description="state", ordering="enabled")
    def state(self, row: Subscription) -> SafeString:
        return badge("enabled", "good") if row.enabled else badge("disabled")

    @admin.display(description="timeout")
    def timeout(self, row: Subscription) -> str:
        return duration(row.timeout_seconds)

    @admin.display(description="event types")
    def asked_for(self, row: Subscription) -> SafeString | None:
        return badges(row.event_types)

    @admin.display(description="only of")
    def about(self, row: Subscription) -> SafeString | None:
        filters = ((Stack, row.filter_stack_id), (Agent, row.filter_agent_id))
        links = (
            (model.NOUN, object_link(model, pk, str(model.objects.filter(pk=pk).first() or pk)))
            for model, pk in filters
            if pk is not None
        )
        return format_html_join(SafeString(", "), "{} {}", links) or None

    @admin.display(description="delivered by")
    def delivered_by(self, row: Subscription) -> SafeString | str | None:
        return "the broker" if row.audience is None else badges(row.target_labels or [])

    @admin.display(description="waiting")
    def waiting(self, row: Any) -> str:
        return str(row.delivery_counts["waiting"])

    @admin.display(description="dead")
    def dead(self, row: Any) -> SafeString | str:
        count = row.delivery_counts["dead"]
        return badge(str(count), "bad") if count else "0"

    @admin.display(description="deliveries")
    def deliveries(self, row: Any) -> SafeString:
        words = f"{row.delivery_counts['waiting']} waiting, {row.delivery_counts['dead']} dead"
        return link("webhooks_delivery_changelist", words, query={"subscription__id__exact": row.pk})

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Subscription) -> SafeString | None:
        return ago(row.created_at)

    @admin.display(description="changed")
    def changed(self, row: Subscription) -> SafeString | None:
        return ago(row.updated_at)

    @admin.display(description="the secret before")
    def old_secret(self, row: Subscription) -> str | None:
        ends_at = row.previous_secret_ends_at
        if not row.previous_secret_sealed or ends_at is None or ends_at <= clock.now():
            return None
        return f"signs too until {ends_at:%Y-%m-%d %H:%M:%S} UTC"

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        return Created(*create_subscription(**changes_of(values), actor=actor))

    def update(self, *, row: Subscription, changes: dict[str, Any], actor: Actor) -> None:
        if {"stack_id", "agent_id"} & changes.keys():
            # A filter that was not changed is kept.
            changes = {"stack_id": row.filter_stack_id, "agent_id": row.filter_agent_id} | changes
        locked = lock_subscription(row.pk)
        update_subscription(subscription=locked, changes=changes_of(changes), actor=actor)

    def delete(self, *, row: Subscription, actor: Actor) -> None:
        delete_subscription(subscription=lock_subscription(row.pk), actor=actor)

    def consequences(self, row: Subscription) -> list[str]:
        return ["Its deliveries go with it, those that wait among them."]

    def _set_enabled(self, row: Subscription, actor: Actor, *, enabled: bool) -> bool:
        locked = lock_subscription(row.pk)
        if locked.enabled == enabled:
            return False
        update_subscription(subscription=locked, changes={"enabled": enabled}, actor=actor)
        return True

    # A button is shown only where it would change something.
    def has_enable_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return self.has_change_permission(request, row) and (row is None or not row.enabled)

    def has_disable_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return self.has_change_permission(request, row) and (row is None or row.enabled)

    @detail_action(description="Test", icon="send", question=TEST, in_transaction=False)
    def test(self, request: HttpRequest, row: Subscription) -> HttpResponse | None:
        status = send_test(subscription=row, now=clock.now())
        self.message_user(request, f"The endpoint answered {status}.", messages.SUCCESS)
        return HttpResponseRedirect(self.url_of(row))

    @detail_action(
        description="Enable", icon="play_arrow", question=ENABLE, done="Enabled", permission="enable"
    )
    def enable(self, request: HttpRequest, row: Subscription) -> HttpResponse | None:
        self._set_enabled(row, admin_actor(request), enabled=True)
        return None

    @detail_action(
        description="Disable", icon="pause", question=DISABLE, done="Disabled", permission="disable"
    )
    def disable(self, request: HttpRequest, row: Subscription) -> HttpResponse | None:
        self._set_enabled(row, admin_actor(request), enabled=False)
        return None

    @detail_action(description="New secret", icon="key", question=ROTATE)
    def rotate(self, request: HttpRequest, row: Subscription) -> HttpResponse:
        secret = rotate_secret(
            subscription=lock_subscription(row.pk),
            overlap=timedelta(0) if takes_other_way(request) else OVERLAP,
            actor=admin_actor(request),
            now=clock.now(),
        )
        return self.show_key(request, row, secret)

    @bulk_action(description="Enable", question=ENABLE_SEVERAL, of_one=ENABLE, done="Webhooks enabled")
    def enable_selected(self, row: Subscription, instruction: Instruction) -> bool:
        return self._set_enabled(row, instruction.actor, enabled=True)

    @bulk_action(description="Disable", question=DISABLE_SEVERAL, of_one=DISABLE, done="Webhooks disabled")
    def disable_selected(self, row: Subscription, instruction: Instruction) -> bool:
        return self._set_enabled(row, instruction.actor, enabled=False)
