from workorders.models.log_entry import WorkOrderLogEntry
from workorders.models.work_order import (
    Status,
    WorkOrder,
    WorkOrderAnnotation,
    WorkOrderLabel,
    WorkOrderTarget,
)

__all__ = [
    "Status",
    "WorkOrder",
    "WorkOrderAnnotation",
    "WorkOrderLabel",
    "WorkOrderLogEntry",
    "WorkOrderTarget",
]
