"""The kinds of events about work orders."""

from core.events import EventKind


class WorkOrderEventKind(EventKind):
    WORKORDER_CANCELLED = "workorder.cancelled"
    WORKORDER_CLAIM_EXPIRED = "workorder.claim_expired"
    WORKORDER_CLAIMED = "workorder.claimed"
    WORKORDER_COMPLETED = "workorder.completed"
    WORKORDER_CREATED = "workorder.created"
    WORKORDER_FAILED = "workorder.failed"
    WORKORDER_RETRY = "workorder.retry"
