"""The operator's pages of work orders and of the log of finished ones; one module per resource."""

from workorders.admin import finders
from workorders.admin.log import WorkOrderLogEntryAdmin
from workorders.admin.orders import WorkOrderAdmin

__all__ = ["WorkOrderAdmin", "WorkOrderLogEntryAdmin", "finders"]
