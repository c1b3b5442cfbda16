"""The state machine of work orders. Every transition is one guarded step; `now` is passed in.

PENDING ─claim→ CLAIMED ─complete→ log, or RETRY_PENDING ─due→ PENDING. A claim that runs out consumes an attempt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from uuid_utils.compat import uuid7

from agents.models import Agent
from core.errors import ForeignKeyViolation
from core.events import SYSTEM, Actor, ActorType, Event, emit
from core.validators import is_blank, is_label
from stacks.manifests import ManifestError, check_manifest
from workorders.backoff import next_retry
from workorders.counters import CLAIM_LATENCY
from workorders.errors import (
    InvalidWorkOrder,
    NoTargetingSpecified,
    StaleClaim,
    WorkOrderLogEntryNotFound,
    WorkOrderNotClaimable,
    WorkOrderNotClaimed,
    WorkOrderNotClaimedByAgent,
    WorkOrderNotFound,
)
from workorders.matching import claimable_by
from workorders.models import (
    Status,
    WorkOrder,
    WorkOrderAnnotation,
    WorkOrderLabel,
    WorkOrderLogEntry,
    WorkOrderTarget,
)
from workorders.models.work_order import MAX_WORK_TYPE

# Agents apply the manifest of such an order, as they apply a version.
CUSTOM = "custom"
UNKNOWN_ERROR = "Unknown error"
_NO_CLAIM: dict[str, Any] = {
    "claimed_by": None,
    "claimed_at": None,
    "claim_expires_at": None,
    "claim_token": None,
}
# Released in steps of this many, so that no transaction grows with the backlog.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Targeting:
    """Who may claim an order: any of these agents, labels, annotations."""

    agent_ids: Sequence[UUID] = ()
    labels: Sequence[str] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "agent_ids": [str(agent_id) for agent_id in self.agent_ids],
            "labels": list(self.labels),
            "annotations": dict(self.annotations),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Targeting":
        return cls([UUID(agent_id) for agent_id in value["agent_ids"]], value["labels"], value["annotations"])


def create_work_order(
    *,
    work_type: str,
    yaml_content: str,
    targeting: Targeting,
    actor: Actor,
    now: datetime,
    max_retries: int = 3,
    backoff_seconds: int = 60,
    claim_timeout_seconds: int = 3600,
) -> WorkOrder:
    """A pending order. Targeting that is no targeting is refused, never dropped.

    Raises InvalidWorkOrder, NoTargetingSpecified, and ForeignKeyViolation for an agent that does not exist.
    """
    _check_fields(work_type, yaml_content, max_retries, backoff_seconds, claim_timeout_seconds)
    # Long texts take long, so the transaction begins after them.
    with transaction.atomic():
        return _create(
            work_type=work_type,
            yaml_content=yaml_content,
            targeting=_checked(targeting),
            actor=actor,
            now=now,
            max_retries=max_retries,
            backoff_seconds=backoff_seconds,
            claim_timeout_seconds=claim_timeout_seconds,
        )


def _create(
    *,
    work_type: str,
    yaml_content: str,
    targeting: Targeting,
    actor: Actor,
    now: datetime,
    max_retries: int,
    backoff_seconds: int,
    claim_timeout_seconds: int,
) -> WorkOrder:
    order = WorkOrder.objects.create(
        work_type=work_type,
        yaml_content=yaml_content,
        max_retries=max_retries,
        backoff_seconds=backoff_seconds,
        claim_timeout_seconds=claim_timeout_seconds,
        created_at=now,
        updated_at=now,
    )
    WorkOrderTarget.objects.bulk_create(
        WorkOrderTarget(work_order=order, agent_id=agent_id) for agent_id in targeting.agent_ids
    )
    WorkOrderLabel.objects.bulk_create(
        WorkOrderLabel(work_order=order, label=label) for label in targeting.labels
    )
    WorkOrderAnnotation.objects.bulk_create(
        WorkOrderAnnotation(work_order=order, key=key, value=value)
        for key, value in targeting.annotations.items()
    )
    _tell(
        "workorder.created",
        order.id,
        actor,
        {"work_type": work_type},
        notice="workorder.created",
        payload={
            "work_order_id": order.id,
            "work_type": work_type,
            "status": order.status,
            "created_at": order.created_at,
        },
    )
    return order


@transaction.atomic
def claim_work_order(*, work_order_id: UUID, agent_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """Give a pending order to an agent it is targeted at; of simultaneous claims exactly one succeeds.

    Raises WorkOrderNotClaimable for an order that is unknown, not for this agent, or not pending.
    """
    # In a queue with the agent's deletion: either it ends this claim, or the claim finds no agent.
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
    _tell(
        "workorder.claimed",
        order.id,
        actor,
        None,
        notice="workorder.claimed",
        payload={
            "work_order_id": order.id,
            "work_type": order.work_type,
            "agent_id": agent_id,
            "claimed_at": now,
        },
    )
    return order


@transaction.atomic
def renew_claim(*, work_order_id: UUID, claim_token: UUID | None, actor: Actor, now: datetime) -> WorkOrder:
    """Let the claim run for its whole time-out from now.

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
    """End an attempt. The log entry when the order is finished, None when it will be tried again.

    Without a token the claimant of record is believed, as clients of earlier releases send none.
    Raises WorkOrderNotFound, StaleClaim, WorkOrderNotClaimedByAgent, WorkOrderNotClaimed.
    """
    order = _lock_claim(work_order_id, claim_token, actor)
    if success:
        entry = _finish(order, success=True, message=message, now=now)
        _tell_finished(entry, actor, None)
        return entry
    error = message if message is not None else UNKNOWN_ERROR
    if not retryable or order.retry_count >= order.max_retries:
        entry = _finish(order, success=False, message=error, now=now)
        _tell_finished(entry, actor, {"retryable": retryable})
        return entry
    retry_count = order.retry_count + 1
    WorkOrder.objects.filter(pk=order.pk).update(
        **_NO_CLAIM,
        status=Status.RETRY_PENDING,
        retry_count=retry_count,
        next_retry_after=next_retry(now=now, backoff_seconds=order.backoff_seconds, retry_count=retry_count),
        last_error=error,
        last_error_at=now,
        updated_at=now,
    )
    _tell("workorder.retry", order.id, actor, None)
    return None


def lock_work_order(work_order_id: UUID) -> WorkOrder:
    """The unfinished order, locked until the transaction ends. Raises WorkOrderNotFound."""
    order = WorkOrder.objects.select_for_update().filter(pk=work_order_id).first()
    if order is None:
        raise WorkOrderNotFound(id=work_order_id)
    return order


@transaction.atomic
def cancel_work_order(*, work_order_id: UUID, actor: Actor) -> None:
    """Remove an order in any state; only the audit log remembers it. Raises WorkOrderNotFound."""
    order = lock_work_order(work_order_id)
    order.delete()
    details = {"work_type": order.work_type, "status": order.status, "retry_count": order.retry_count}
    _tell("workorder.cancelled", work_order_id, actor, details)


def requeue_from_log(*, entry_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """A new order with the content, targeting and limits of a finished one.

    Raises WorkOrderLogEntryNotFound, and what `create_work_order` raises when its agents are gone.
    """
    entry = WorkOrderLogEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise WorkOrderLogEntryNotFound(id=entry_id)
    return create_work_order(
        work_type=entry.work_type,
        yaml_content=entry.yaml_content,
        targeting=Targeting.from_json(entry.targeting),
        max_retries=entry.max_retries,
        backoff_seconds=entry.backoff_seconds,
        claim_timeout_seconds=entry.claim_timeout_seconds,
        actor=actor,
        now=now,
    )


def release_stale_claims(*, now: datetime) -> int:
    """End the claims that have run out; the number ended. Safe to run in several workers at once.

    An expired claim consumes an attempt, so that an order that kills its agents cannot circle for ever.
    """
    released = 0
    while True:
        with transaction.atomic():
            # Rows another worker holds are its business.
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
    """End the claims of an agent that is being deleted, like expired ones; the number ended."""
    held = list(WorkOrder.objects.claimed().filter(claimed_by=agent).select_for_update().order_by("id"))
    for order in held:
        _expire(order, now)
    return len(held)


def requeue_due_retries(*, now: datetime) -> int:
    """Make orders whose back-off is over claimable again; the number of them. Safe in several workers at once."""
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
        entry = _finish(order, success=False, message=f"{error} No attempts are left.", now=now)
        _tell_finished(entry, SYSTEM, {"reason": "claim_expired"})
        return
    details = {"agent_id": str(order.claimed_by_id), "retry_count": order.retry_count + 1}
    WorkOrder.objects.filter(pk=order.pk).update(
        **_NO_CLAIM,
        status=Status.PENDING,
        retry_count=F("retry_count") + 1,
        last_error=error,
        last_error_at=now,
        updated_at=now,
    )
    _tell("workorder.claim_expired", order.id, SYSTEM, details)


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


def _finish(order: WorkOrder, *, success: bool, message: str | None, now: datetime) -> WorkOrderLogEntry:
    """Move a locked order to the log: one place before, one place after, in one transaction."""
    entry = WorkOrderLogEntry.objects.create(
        id=order.id,
        work_type=order.work_type,
        created_at=order.created_at,
        claimed_at=order.claimed_at,
        completed_at=now,
        claimed_by_id=order.claimed_by_id,
        success=success,
        retries_attempted=order.retry_count,
        result_message=message,
        yaml_content=order.yaml_content,
        targeting=Targeting(
            agent_ids=list(order.targets.values_list("agent_id", flat=True)),
            labels=list(order.labels.values_list("label", flat=True)),
            annotations=dict(order.annotations.values_list("key", "value")),
        ).as_json(),
        max_retries=order.max_retries,
        backoff_seconds=order.backoff_seconds,
        claim_timeout_seconds=order.claim_timeout_seconds,
    )
    order.delete()
    return entry


def _check_fields(
    work_type: str, yaml_content: str, max_retries: int, backoff_seconds: int, claim_timeout_seconds: int
) -> None:
    if is_blank(work_type) or len(work_type) > MAX_WORK_TYPE:
        raise InvalidWorkOrder(f"work_type must have 1 to {MAX_WORK_TYPE} characters.")
    if is_blank(yaml_content):
        raise InvalidWorkOrder("yaml_content must not be blank.")
    if work_type == CUSTOM:
        try:
            check_manifest(yaml_content, strict=settings.MANIFESTS == "strict")
        except ManifestError as error:
            raise InvalidWorkOrder(f"yaml_content: {error}", **error.details) from error
    if max_retries < 0:
        raise InvalidWorkOrder("max_retries must be 0 or more.")
    if backoff_seconds <= 0:
        raise InvalidWorkOrder("backoff_seconds must be more than 0.")
    if claim_timeout_seconds <= 0:
        raise InvalidWorkOrder("claim_timeout_seconds must be more than 0.")


def _checked(targeting: Targeting) -> Targeting:
    """The targeting without repetitions, every part of it a rule some agent can meet."""
    if not targeting.agent_ids and not targeting.labels and not targeting.annotations:
        raise NoTargetingSpecified
    words = [*targeting.labels, *targeting.annotations.keys(), *targeting.annotations.values()]
    if wrong := [word for word in words if not is_label(word)]:
        raise InvalidWorkOrder(
            "Labels, annotation keys and values must have 1 to 64 characters and no white space.", wrong=wrong
        )
    agent_ids = sorted(set(targeting.agent_ids))
    known = set(Agent.objects.active().filter(id__in=agent_ids).values_list("id", flat=True))
    if missing := [str(agent_id) for agent_id in agent_ids if agent_id not in known]:
        raise ForeignKeyViolation(
            "An agent named in the targeting does not exist.",
            constraint="work_order_targets_agent_id_fkey",
            agent_ids=missing,
        )
    return Targeting(agent_ids, sorted(set(targeting.labels)), dict(targeting.annotations))


def _tell_finished(entry: WorkOrderLogEntry, actor: Actor, details: dict[str, object] | None) -> None:
    kind = "workorder.completed" if entry.success else "workorder.failed"
    _tell(
        kind,
        entry.id,
        actor,
        details,
        notice=kind,
        payload={
            "work_order_log_id": entry.id,
            "work_type": entry.work_type,
            "success": entry.success,
            "result_message": entry.result_message,
            "agent_id": entry.claimed_by_id,
            "completed_at": entry.completed_at,
        },
    )


def _tell(
    kind: str,
    work_order_id: UUID,
    actor: Actor,
    details: Mapping[str, object] | None,
    *,
    notice: str | None = None,
    payload: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="work_order",
            resource_id=work_order_id,
            actor=actor,
            details=details,
            notice=notice,
            payload=payload,
        )
    )
