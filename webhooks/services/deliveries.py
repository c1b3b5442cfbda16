"""Taking, ending and resending deliveries. Whoever takes one has it until its lease runs out.

Order of locks: delivery, then subscription.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from uuid_utils.compat import uuid7

from agents.errors import AgentNotFound
from agents.models import Agent
from agents.wanted.words import labels_of
from core.events import SYSTEM, Actor, Event, emit
from webhooks.attempts import GONE, is_final, next_try
from webhooks.errors import (
    DeliveryNotAcquiredByAgent,
    DeliveryNotFound,
    DeliveryUnderWay,
    WebhookUnreadable,
)
from webhooks.event_kinds import WebhookEventKind
from webhooks.models import Audience, AudienceLabel, Delivery, Status, Subscription
from webhooks.querysets import DeliveryQuerySet
from webhooks.services.decryption import open_counted
from webhooks.transport import Message, Outcome

# The contract's lease. A longer time-out makes a longer lease, so that nobody loses a delivery while sending it.
LEASE = timedelta(seconds=60)
AFTER_TIMEOUT = timedelta(seconds=30)
# How many deliveries an agent gets at once (contract, section 7.13).
AGENT_BATCH = 10
UNKNOWN_ERROR = "Unknown error"
_UNREADABLE = "The URL, the header or the secret cannot be decrypted."
_ERROR_BODY = 200
_MAX_ERROR = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A delivery that the broker's worker has taken, ready to be sent."""

    delivery_id: UUID
    lease: UUID
    taken_at: datetime
    subscription_id: UUID
    attempts: int
    max_retries: int
    message: Message


@dataclass(frozen=True, slots=True)
class AgentClaim:
    """A delivery that an agent has taken, with everything that the agent needs to send it."""

    delivery: Delivery
    url: str
    auth_header: str | None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How an attempt ended."""

    number: int
    success: bool
    status_code: int | None
    error: str | None
    retry_after: timedelta | None = None


def claim_due(
    *,
    now: datetime,
    slots: int,
    busy: Mapping[UUID, int],
    per_subscription: int,
    unanswering: Collection[UUID] = (),
    reserve: int = 0,
) -> list[Claim]:
    """Take up to `slots` due deliveries for the broker to send, at most `per_subscription` of one subscription.

    `busy` counts the requests of each subscription that are already under way. The `unanswering` have one at a time,
    and the last `reserve` of the slots are for subscriptions with nothing under way. The subscription that has waited
    longest comes first, with its oldest delivery first. Two callers never get the same delivery.
    """
    waiting_since = Subquery(_due_of(OuterRef("pk")).order_by("due_at").values("due_at")[:1])
    enabled = Subscription.objects.enabled().annotate(waiting_since=waiting_since)
    waiting = list(enabled.filter(waiting_since__lte=now).order_by("waiting_since", "id"))
    claims: list[Claim] = []
    # One transaction for all deliveries, and none if nothing is due: SQLite waits for the disk at the end of each.
    with transaction.atomic() if waiting else nullcontext():
        for subscription in waiting:
            under_way, free = busy.get(subscription.pk, 0), slots - len(claims)
            share = 1 if subscription.pk in unanswering else per_subscription
            limit = min(share - under_way, max(free - reserve, 0 if under_way else 1))
            if limit > 0:
                claims += _claim_of(subscription, limit, now)
            if len(claims) == slots:
                break
    return claims


def _due_of(subscription: Any) -> DeliveryQuerySet:
    return Delivery.objects.by_broker().filter(subscription=subscription, due_at__isnull=False)


def _claim_of(subscription: Subscription, limit: int, now: datetime) -> list[Claim]:
    # Rows that another worker is taking are left to it.
    due = _due_of(subscription).due(now).select_for_update(skip_locked=True).order_by("due_at", "id")
    rows = list(due[:limit])
    lease = uuid7()
    mine = Delivery.objects.filter(pk__in=[row.pk for row in rows])
    mine.update(status=Status.ACQUIRED, acquired_by=None, lease=lease, due_at=now + _lease(subscription))
    try:
        endpoint = open_counted(subscription, now=now, path="broker")
    except WebhookUnreadable:
        give_up(rows, reason=_UNREADABLE, now=now)
        return []
    return [
        Claim(
            delivery_id=row.pk,
            lease=lease,
            taken_at=now,
            subscription_id=subscription.pk,
            attempts=row.attempts,
            max_retries=subscription.max_retries,
            message=endpoint.message(
                delivery_id=row.pk,
                event_id=row.event_id,
                event_type=row.event_type,
                payload=row.payload,
                format=row.format,
                now=now,
            ),
        )
        for row in rows
    ]


@transaction.atomic
def record_outcomes(*, outcomes: Iterable[tuple[Claim, Outcome]], now: datetime) -> None:
    """End the attempts of claims. A claim that lost its lease is ignored: another worker has, or had, the delivery."""
    # Always in the same order, so that two workers do not deadlock if both have the same rows, one of them too late.
    for claim, outcome in sorted(outcomes, key=lambda pair: pair[0].delivery_id):
        _record(claim, outcome, now)


def _record(claim: Claim, outcome: Outcome, now: datetime) -> None:
    delivery = (
        Delivery.objects.select_for_update(no_key=True)
        .filter(pk=claim.delivery_id, status=Status.ACQUIRED, lease=claim.lease)
        .first()
    )
    if outcome.status_code == GONE:
        _disable(claim.subscription_id, taken_at=claim.taken_at, now=now)
    if delivery is None:
        return
    attempt = _Attempt(
        number=claim.attempts + 1,
        success=outcome.success,
        status_code=outcome.status_code,
        error=_error_of(outcome),
        retry_after=outcome.retry_after,
    )
    _end_attempt(delivery, attempt, max_retries=claim.max_retries, now=now, actor=SYSTEM)


@transaction.atomic
def claim_for_agent(*, agent_id: UUID, now: datetime) -> list[AgentClaim]:
    """Take the oldest due deliveries for an agent that has all of their labels. Raises AgentNotFound."""
    if not Agent.objects.active().filter(pk=agent_id).exists():
        raise AgentNotFound(id=agent_id)
    rows = list(
        Delivery.objects.due(now)
        .filter(
            audience__in=audiences_of(agent_id),
            subscription__enabled=True,
            subscription__deleted_at__isnull=True,
        )
        .select_related("subscription")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("due_at", "id")[:AGENT_BATCH]
    )
    claims: list[AgentClaim] = []
    for row in rows:
        try:
            endpoint = open_counted(row.subscription, now=now, path="agent")
        except WebhookUnreadable:
            give_up([row], reason=_UNREADABLE, now=now)
            continue
        row.status, row.acquired_by_id, row.lease = Status.ACQUIRED, agent_id, None
        row.due_at = now + _lease(row.subscription)
        row.save(update_fields=["status", "acquired_by", "lease", "due_at"])
        claims.append(AgentClaim(row, endpoint.url, endpoint.auth_header))
    return claims


def audiences_of(agent_id: UUID) -> QuerySet[Audience]:
    """The audiences to which the agent belongs: it has all of their labels."""
    missing = AudienceLabel.objects.filter(audience=OuterRef("pk")).exclude(label__in=labels_of(agent_id))
    return Audience.objects.filter(~Exists(missing))


@transaction.atomic
def report_result(
    *,
    delivery_id: UUID,
    agent_id: UUID,
    success: bool,
    status_code: int | None,
    error: str | None,
    actor: Actor,
    now: datetime,
) -> Delivery:
    """End an agent's attempt; the changed delivery. Raises DeliveryNotFound, DeliveryNotAcquiredByAgent."""
    delivery = _lock(delivery_id)
    if delivery.status != Status.ACQUIRED or delivery.acquired_by_id != agent_id:
        raise DeliveryNotAcquiredByAgent(id=delivery_id)
    if status_code == GONE and delivery.due_at is not None:
        taken_at = delivery.due_at - _lease(delivery.subscription)
        _disable(delivery.subscription_id, taken_at=taken_at, now=now)
    text = (error or UNKNOWN_ERROR)[:_MAX_ERROR]
    if status_code is not None and not text.startswith(f"HTTP {status_code}"):
        text = f"HTTP {status_code}: {text}"
    attempt = _Attempt(number=delivery.attempts + 1, success=success, status_code=status_code, error=text)
    _end_attempt(delivery, attempt, max_retries=delivery.subscription.max_retries, now=now, actor=actor)
    return delivery


@transaction.atomic
def redeliver(*, delivery_id: UUID, actor: Actor, now: datetime) -> Delivery:
    """Send a delivery in any state again, with the same id and all attempts anew.

    Raises DeliveryNotFound, DeliveryUnderWay.
    """
    delivery = _lock(delivery_id)
    if delivery.status == Status.ACQUIRED and delivery.due_at is not None and delivery.due_at > now:
        raise DeliveryUnderWay(id=delivery_id, until=delivery.due_at.isoformat())
    before = delivery.status
    delivery.status, delivery.due_at, delivery.completed_at = Status.PENDING, now, None
    delivery.acquired_by, delivery.lease, delivery.attempts = None, None, 0
    delivery.save(update_fields=["status", "due_at", "completed_at", "acquired_by", "lease", "attempts"])
    details = {"delivery_id": str(delivery_id), "event_type": delivery.event_type, "was": before}
    _tell(WebhookEventKind.WEBHOOK_REDELIVERED, delivery.subscription_id, actor, details)
    return delivery


def give_up(rows: Sequence[Delivery], *, reason: str, now: datetime) -> None:
    """End locked deliveries without another attempt."""
    for row in rows:
        row.last_error = reason
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Status.DEAD, due_at=None, completed_at=now, lease=None, last_error=reason
    )
    if rows:
        emit(*(_death(row, SYSTEM, status_code=None) for row in rows))


def _death(delivery: Delivery, actor: Actor, *, status_code: int | None) -> Event:
    return Event(
        kind=WebhookEventKind.WEBHOOK_DELIVERY_FAILED,
        resource_type=Subscription.NOUN,
        resource_id=delivery.subscription_id,
        actor=actor,
        details={
            "delivery_id": str(delivery.pk),
            "event_type": delivery.event_type,
            "attempts": delivery.attempts,
            "error": delivery.last_error,
            "status_code": status_code,
            "delivered_by_agent": delivery.audience_id is not None,
        },
    )


def _lock(delivery_id: UUID) -> Delivery:
    rows = Delivery.objects.visible().select_related("subscription", "audience")
    delivery = rows.select_for_update(no_key=True, of=("self",)).filter(pk=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound(id=delivery_id)
    return delivery


def _lease(subscription: Subscription) -> timedelta:
    return max(LEASE, timedelta(seconds=subscription.timeout_seconds) + AFTER_TIMEOUT)


def _error_of(outcome: Outcome) -> str | None:
    if outcome.success:
        return None
    if outcome.status_code is None:
        return f"Request failed: {outcome.error}"[:_MAX_ERROR]
    return f"HTTP {outcome.status_code}: {outcome.body[:_ERROR_BODY]}"


def _end_attempt(
    delivery: Delivery, attempt: _Attempt, *, max_retries: int, now: datetime, actor: Actor
) -> None:
    """Move a locked delivery to its next state after an attempt (contract, section 7.12)."""
    delivery.attempts, delivery.last_attempt_at, delivery.lease = attempt.number, now, None
    delivery.last_error = None if attempt.success else attempt.error
    if attempt.success:
        delivery.status, delivery.due_at, delivery.completed_at = Status.SUCCESS, None, now
    elif is_final(attempt.status_code) or attempt.number >= max_retries:
        delivery.status, delivery.due_at, delivery.completed_at = Status.DEAD, None, now
    else:
        delivery.status = Status.FAILED
        delivery.due_at = next_try(now=now, attempts=attempt.number, retry_after=attempt.retry_after)
    delivery.save(
        update_fields=[
            "attempts",
            "last_attempt_at",
            "lease",
            "last_error",
            "status",
            "due_at",
            "completed_at",
        ]
    )
    if delivery.status == Status.DEAD:
        emit(_death(delivery, actor, status_code=attempt.status_code))


def _disable(subscription_id: UUID, *, taken_at: datetime, now: datetime) -> None:
    """Disable the subscription of an endpoint that says that it is gone. Waiting deliveries stay as they are.

    Not if it was changed after the delivery was taken, because it may lead elsewhere now, or was enabled again.
    """
    enabled = Subscription.objects.enabled().filter(pk=subscription_id, updated_at__lte=taken_at)
    if enabled.update(enabled=False, updated_at=now):
        _tell(
            WebhookEventKind.WEBHOOK_DISABLED,
            subscription_id,
            SYSTEM,
            {"reason": "the endpoint answered 410 Gone"},
        )


def _tell(kind: WebhookEventKind, subscription_id: UUID, actor: Actor, details: Mapping[str, object]) -> None:
    emit(
        Event(
            kind=kind,
            resource_type=Subscription.NOUN,
            resource_id=subscription_id,
            actor=actor,
            details=details,
        )
    )
