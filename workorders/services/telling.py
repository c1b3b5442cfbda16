"""What the world is told of orders."""

from collections.abc import Mapping
from uuid import UUID

from core.events import Actor, Event, emit
from workorders.models import WorkOrderLogEntry


def tell_finished(entry: WorkOrderLogEntry, actor: Actor, details: dict[str, object] | None) -> None:
    """Tell that an order ended, well or not; `details` are for the audit log."""
    kind = "workorder.completed" if entry.success else "workorder.failed"
    tell(
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


def tell(
    kind: str,
    work_order_id: UUID,
    actor: Actor,
    details: Mapping[str, object] | None,
    *,
    notice: str | None = None,
    payload: dict[str, object] | None = None,
) -> None:
    """Emit one event of an order; `notice` and `payload` where subscribers hear of it too."""
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
