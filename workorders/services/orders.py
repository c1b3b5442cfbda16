"""Making, locking and removing orders."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core.events import Actor, Event, emit
from core.validators import is_blank
from stacks.manifests import ManifestError, check_manifest
from workorders.errors import InvalidWorkOrder, WorkOrderLogEntryNotFound, WorkOrderNotFound
from workorders.event_kinds import WorkOrderEventKind
from workorders.models import (
    WorkOrder,
    WorkOrderAnnotation,
    WorkOrderLabel,
    WorkOrderLogEntry,
    WorkOrderTarget,
)
from workorders.models.work_order import MAX_WORK_TYPE
from workorders.services.targeting import Targeting, checked_targeting

# Agents apply the manifest of an order of this type in the same way as a version.
CUSTOM = "custom"


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
    """Make a pending order. Wrong targeting is refused, never ignored.

    Raises InvalidWorkOrder, NoTargetingSpecified, and ForeignKeyViolation for an agent that does not exist.
    """
    _check_fields(work_type, yaml_content, max_retries, backoff_seconds, claim_timeout_seconds)
    # The check of a long text takes long, so the transaction begins after it.
    with transaction.atomic():
        return _create(
            work_type=work_type,
            yaml_content=yaml_content,
            targeting=checked_targeting(targeting),
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
    emit(
        Event(
            kind=WorkOrderEventKind.WORKORDER_CREATED,
            resource_type="work_order",
            resource_id=order.id,
            actor=actor,
            details={"work_type": work_type},
            data={
                "work_order_id": order.id,
                "work_type": work_type,
                "status": order.status,
                "created_at": order.created_at,
            },
        )
    )
    return order


def lock_work_order(work_order_id: UUID) -> WorkOrder:
    """The unfinished order, locked until the transaction ends. Raises WorkOrderNotFound."""
    order = WorkOrder.objects.select_for_update().filter(pk=work_order_id).first()
    if order is None:
        raise WorkOrderNotFound(id=work_order_id)
    return order


@transaction.atomic
def cancel_work_order(*, work_order_id: UUID, actor: Actor) -> None:
    """Remove an order in any state. Only the audit log has an entry about it. Raises WorkOrderNotFound."""
    order = lock_work_order(work_order_id)
    order.delete()
    details = {"work_type": order.work_type, "status": order.status, "retry_count": order.retry_count}
    emit(
        Event(
            kind=WorkOrderEventKind.WORKORDER_CANCELLED,
            resource_type="work_order",
            resource_id=work_order_id,
            actor=actor,
            details=details,
        )
    )


def requeue_from_log(*, entry_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """Make a new order with the content, targeting and limits of a finished one.

    Raises WorkOrderLogEntryNotFound, and what `create_work_order` raises if its agents no longer exist.
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
