"""The end of an order: it is moved to the log, and an event is emitted."""

from datetime import datetime
from typing import Any

from core.events import Actor, Event, emit
from stacks.secret_values import values_of, without_values
from workorders.event_kinds import WorkOrderEventKind
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.targeting import Targeting

# The columns of an order that nobody has claimed.
NO_CLAIM: dict[str, Any] = {
    "claimed_by": None,
    "claimed_at": None,
    "claim_expires_at": None,
    "claim_token": None,
}


def finish(order: WorkOrder, *, success: bool, message: str | None, now: datetime) -> WorkOrderLogEntry:
    """Move a locked order to the log, in one transaction."""
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


def tell_finished(entry: WorkOrderLogEntry, actor: Actor, details: dict[str, object] | None) -> None:
    """Emit the event that an order has succeeded or failed. `details` are for the audit log.

    The world is told the message with the values of Secrets masked, because webhooks lead anywhere.
    """
    message = entry.result_message
    kind = WorkOrderEventKind.WORKORDER_COMPLETED if entry.success else WorkOrderEventKind.WORKORDER_FAILED
    emit(
        Event(
            kind=kind,
            resource_type="work_order",
            resource_id=entry.id,
            actor=actor,
            details=details,
            data={
                "work_order_log_id": entry.id,
                "work_type": entry.work_type,
                "success": entry.success,
                "result_message": message and without_values(message, values_of(entry.yaml_content)),
                "agent_id": entry.claimed_by_id,
                "completed_at": entry.completed_at,
            },
        )
    )
