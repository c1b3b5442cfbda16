"""Dates rows back. Services write the present time; here rows get the time that fits the demonstration."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Model

from audit.models import AuditLog
from console.demo import samples
from console.demo.context import HISTORY, DemoContext
from diagnostics.models import DiagnosticRequest
from paks.models import Pak
from webhooks.models import Delivery, Status
from webhooks.payloads import render
from workorders.models import WorkOrder, WorkOrderLogEntry

_BATCH = 500
# The time between two changes of one resource.
_STEP = timedelta(minutes=2)


def set_created_at(context: DemoContext, row: Model, at: datetime) -> None:
    """Date the row's creation back to `at`."""
    context.created_at_by_id[row.pk] = at
    type(row)._default_manager.filter(pk=row.pk).update(created_at=at)


def backdate_keys(context: DemoContext) -> None:
    """Make keys as old as their owners, and admin keys older than everything else."""
    for pak in Pak.objects.filter(created_at__gte=context.now):
        oldest = context.ago(hours=context.chance.randrange(2_030, 2_100))
        at = context.created_at_by_id.get(pak.subject_id, oldest)
        set_created_at(context, pak, at)
        if pak.revoked_at is not None:
            ended = at + (context.now - at) / 2
            Pak.objects.filter(pk=pak.pk).update(revoked_at=ended, last_used_at=ended - timedelta(hours=5))
            context.moments["pak.revoked", pak.pk, None] = ended


def note_work_times(context: DemoContext) -> None:
    """Note when orders and diagnostics were created, claimed and ended, from the times in their rows."""
    for order in WorkOrder.objects.filter(pk__in=context.orders):
        _note(context, "workorder", order.pk, (order.created_at, order.claimed_at, order.last_error_at))
    for entry in WorkOrderLogEntry.objects.filter(pk__in=context.orders):
        _note(context, "workorder", entry.pk, (entry.created_at, entry.claimed_at, entry.completed_at))
    for asked in DiagnosticRequest.objects.filter(created_at__gte=context.now - HISTORY):
        _note(context, "diagnostic", asked.pk, (asked.created_at, asked.claimed_at, asked.completed_at))


def _note(
    context: DemoContext, noun: str, pk: UUID, times: tuple[datetime, datetime | None, datetime | None]
) -> None:
    made, taken, ended = times
    for what in ("created", "requested"):
        context.moments[f"{noun}.{what}", pk, None] = made
    # An order that will be retried keeps only the time at which the attempt ended.
    context.moments[f"{noun}.claimed", pk, None] = taken or made + timedelta(seconds=20)
    for what in ("completed", "failed", "retry"):
        context.moments[f"{noun}.{what}", pk, None] = ended or context.now


def finish_deliveries(context: DemoContext) -> None:
    """End the broker's deliveries: most succeeded, some are dead. Attempts are written as the worker would have."""
    for delivery in Delivery.objects.filter(subscription__in=context.webhooks).order_by("id"):
        event = orjson.loads(delivery.payload)
        about = event["data"].get("work_order_id")
        happened = context.moments.get((delivery.event_type, UUID(about), None)) if about else None
        if happened is not None:
            delivery.created_at = happened
            delivery.payload = render(
                event_id=delivery.event_id, event_type=delivery.event_type, at=happened, data=event["data"]
            )
        if delivery.audience_id is None:
            is_dead = context.happens(0.1)
            at = delivery.created_at + timedelta(seconds=1)
            delivery.status = Status.DEAD if is_dead else Status.SUCCESS
            delivery.attempts = 5 if is_dead else 1
            delivery.due_at, delivery.last_attempt_at, delivery.completed_at = None, at, at
            delivery.last_error = "HTTP 503: upstream is being restarted" if is_dead else None
        delivery.save()


def backdate_audit_log(context: DemoContext) -> None:
    """Give each row its time, and put people in the place of this command as the actor."""
    rows = list(AuditLog.objects.filter(timestamp__gte=context.now).order_by("sequence"))
    steps: Counter[UUID | None] = Counter()
    for row in rows:
        at = _moment(context, row, steps)
        row.timestamp = row.created_at = min(at, context.now)
        if row.actor_label == context.actor.label:
            row.actor_label = context.chance.choice(samples.PEOPLE)
            row.ip_address = "192.0.2.40"
    AuditLog.objects.bulk_update(
        rows, ["timestamp", "created_at", "actor_label", "ip_address"], batch_size=_BATCH
    )


def _moment(context: DemoContext, row: AuditLog, steps: Counter[UUID | None]) -> datetime:
    details: dict[str, Any] = row.details or {}
    for other in (details.get("generator_id"), details.get("agent_id"), None):
        known = context.moments.get((row.action, row.resource_id, other))
        if known is not None:
            return known
    since = context.created_at_by_id.get(row.resource_id)
    if since is None or row.action.endswith(".deleted"):
        return row.timestamp
    steps[row.resource_id] += 1
    return since + _STEP * (steps[row.resource_id] - 1)
