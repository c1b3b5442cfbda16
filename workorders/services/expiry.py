"""Claims that run out and retries that are due. Safe in several workers at once."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from agents.models import Agent
from core.events import SYSTEM, Event, emit
from workorders.event_kinds import WorkOrderEventKind
from workorders.models import Status, WorkOrder
from workorders.services.finishing import NO_CLAIM, finish, tell_finished

# Claims are ended in steps of this many, so that a large backlog does not make a large transaction.
_BATCH = 100


def release_stale_claims(*, now: datetime) -> int:
    """End the claims that have run out; the number ended. Safe in several workers at once.

    An expired claim counts as an attempt, so that an order that crashes its agents is not tried for ever.
    """
    released = 0
    while True:
        with transaction.atomic():
            # Another worker ends the claims whose rows it has locked.
            stale = list(
                WorkOrder.objects.stale(now).select_for_update(skip_locked=True).order_by("id")[:_BATCH]
            )
            for order in stale:
                _expire(order, now)
        released += len(stale)
        if len(stale) < _BATCH:
            return released


@transaction.atomic
def release_claims_of(*, agent: Agent, now: datetime) -> int:
    """End the claims of an agent that is being deleted, in the same way as expired ones; the number ended."""
    held = list(WorkOrder.objects.claimed().filter(claimed_by=agent).select_for_update().order_by("id"))
    for order in held:
        _expire(order, now)
    return len(held)


def requeue_due_retries(*, now: datetime) -> int:
    """Make orders claimable again when their back-off is over; the number of them. Safe in several workers at once."""
    requeued = 0
    while True:
        with transaction.atomic():
            due = WorkOrder.objects.retry_due(now).select_for_update(skip_locked=True).order_by("id")
            ids = list(due.values_list("id", flat=True)[:_BATCH])
            WorkOrder.objects.filter(pk__in=ids).update(
                status=Status.PENDING, next_retry_after=None, updated_at=now
            )
        requeued += len(ids)
        if len(ids) < _BATCH:
            return requeued


def _expire(order: WorkOrder, now: datetime) -> None:
    error = f"The claim of agent {order.claimed_by_id} ended without an answer."
    if order.retry_count >= order.max_retries:
        entry = finish(order, success=False, message=f"{error} No attempts are left.", now=now)
        tell_finished(entry, SYSTEM, {"reason": "claim_expired"})
        return
    details = {"agent_id": str(order.claimed_by_id), "retry_count": order.retry_count + 1}
    WorkOrder.objects.filter(pk=order.pk).update(
        **NO_CLAIM,
        status=Status.PENDING,
        retry_count=F("retry_count") + 1,
        last_error=error,
        last_error_at=now,
        updated_at=now,
    )
    emit(
        Event(
            kind=WorkOrderEventKind.WORKORDER_CLAIM_EXPIRED,
            resource_type="work_order",
            resource_id=order.id,
            actor=SYSTEM,
            details=details,
        )
    )
