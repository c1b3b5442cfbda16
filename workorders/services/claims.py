"""What an agent does with an order: it claims it, renews the claim, and completes it. `now` is passed in."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from agents.models import Agent
from core.events import Actor, Event, emit
from paks.actors import ActorType
from workorders.backoff import next_retry
from workorders.counters import CLAIM_LATENCY
from workorders.errors import (
    StaleClaim,
    WorkOrderNotClaimable,
    WorkOrderNotClaimed,
    WorkOrderNotClaimedByAgent,
)
from workorders.event_kinds import WorkOrderEventKind
from workorders.matching import claimable_by
from workorders.models import Status, WorkOrder, WorkOrderLogEntry
from workorders.services.finishing import NO_CLAIM, finish, tell_finished
from workorders.services.orders import lock_work_order

UNKNOWN_ERROR = "Unknown error"


@transaction.atomic
def claim_work_order(*, work_order_id: UUID, agent_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """Give a pending order to an agent that may claim it. If there are simultaneous claims, exactly one succeeds.

    Raises WorkOrderNotClaimable for an order that is unknown, not for this agent, or not pending.
    """
    # The agent is locked. So its deletion either ends this claim, or comes first, and then the claim finds no agent.
    if not Agent.objects.active().select_for_update(no_key=True).filter(pk=agent_id).values_list("pk"):
        raise WorkOrderNotClaimable(id=work_order_id, agent_id=agent_id)
    won = (
        WorkOrder.objects.pending()
        .filter(claimable_by(agent_id), pk=work_order_id)
        .update(
            status=Status.CLAIMED,
            claimed_by=agent_id,
            claimed_at=now,
            claim_expires_at=now,
            claim_token=uuid7(),
            updated_at=now,
        )
    )
    if not won:
        raise WorkOrderNotClaimable(id=work_order_id, agent_id=agent_id)
    order = WorkOrder.objects.get(pk=work_order_id)
    order.claim_expires_at = now + timedelta(seconds=order.claim_timeout_seconds)
    order.save(update_fields=["claim_expires_at"])
    CLAIM_LATENCY.labels(order.work_type).observe(max(0.0, (now - order.created_at).total_seconds()))
    emit(
        Event(
            kind=WorkOrderEventKind.WORKORDER_CLAIMED,
            resource_type="work_order",
            resource_id=order.id,
            actor=actor,
            data={
                "work_order_id": order.id,
                "work_type": order.work_type,
                "agent_id": agent_id,
                "claimed_at": now,
            },
        )
    )
    return order


@transaction.atomic
def renew_claim(*, work_order_id: UUID, claim_token: UUID | None, actor: Actor, now: datetime) -> WorkOrder:
    """Let the claim run for its whole time-out again, from now.

    Raises WorkOrderNotFound, StaleClaim, WorkOrderNotClaimedByAgent, WorkOrderNotClaimed.
    """
    order = _lock_claim(work_order_id, claim_token, actor)
    order.claim_expires_at = now + timedelta(seconds=order.claim_timeout_seconds)
    order.updated_at = now
    order.save(update_fields=["claim_expires_at", "updated_at"])
    return order


@transaction.atomic
def complete_work_order(
    *,
    work_order_id: UUID,
    success: bool,
    message: str | None,
    retryable: bool,
    claim_token: UUID | None,
    actor: Actor,
    now: datetime,
) -> WorkOrderLogEntry | None:
    """End an attempt. Returns the log entry if the order is finished, None if it will be tried again.

    If there is no token, it is enough that the agent is the claimant, because clients of earlier releases send none.
    Raises WorkOrderNotFound, StaleClaim, WorkOrderNotClaimedByAgent, WorkOrderNotClaimed.
    """
    order = _lock_claim(work_order_id, claim_token, actor)
    if success:
        entry = finish(order, success=True, message=message, now=now)
        tell_finished(entry, actor, None)
        return entry
    error = message if message is not None else UNKNOWN_ERROR
    if not retryable or order.retry_count >= order.max_retries:
        entry = finish(order, success=False, message=error, now=now)
        tell_finished(entry, actor, {"retryable": retryable})
        return entry
    retry_count = order.retry_count + 1
    WorkOrder.objects.filter(pk=order.pk).update(
        **NO_CLAIM,
        status=Status.RETRY_PENDING,
        retry_count=retry_count,
        next_retry_after=next_retry(now=now, backoff_seconds=order.backoff_seconds, retry_count=retry_count),
        last_error=error,
        last_error_at=now,
        updated_at=now,
    )
    emit(
        Event(
            kind=WorkOrderEventKind.WORKORDER_RETRY,
            resource_type="work_order",
            resource_id=order.id,
            actor=actor,
        )
    )
    return None


def _lock_claim(work_order_id: UUID, claim_token: UUID | None, actor: Actor) -> WorkOrder:
    order = lock_work_order(work_order_id)
    if claim_token is not None and claim_token != order.claim_token:
        raise StaleClaim(id=work_order_id)
    is_claimant = actor.type == ActorType.AGENT and actor.id is not None and actor.id == order.claimed_by_id
    if actor.type != ActorType.ADMIN and not is_claimant:
        raise WorkOrderNotClaimedByAgent(id=work_order_id)
    if order.status != Status.CLAIMED:
        raise WorkOrderNotClaimed(id=work_order_id, status=order.status)
    return order
