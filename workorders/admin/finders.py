"""How the search of the admin finds work orders. Finished ones are many, so only their ids are looked for."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from core.admin.finders import Hit, is_id, register_finder
from workorders.models import Status, WorkOrder, WorkOrderLogEntry


def _orders(text: str, limit: int) -> Sequence[Hit]:
    labelled = WorkOrder.objects.filter(labels__label__icontains=text).values("pk")
    by = is_id(text) or Q(work_type__icontains=text) | Q(pk__in=labelled)
    rows = WorkOrder.objects.filter(by).order_by("-created_at", "-id").defer("yaml_content")[:limit]
    return [
        Hit(
            str(row),
            Status(row.status).label.lower(),
            reverse("admin:workorders_workorder_change", args=[row.pk]),
        )
        for row in rows
    ]


def _finished(text: str, limit: int) -> Sequence[Hit]:
    by = is_id(text)
    if by is None:
        return []
    rows = WorkOrderLogEntry.objects.filter(by).defer("yaml_content")[:limit]
    return [
        Hit(
            str(row),
            "succeeded" if row.success else "failed",
            reverse("admin:workorders_workorderlogentry_change", args=[row.pk]),
        )
        for row in rows
    ]


register_finder("Work orders", _orders, "workorders.view_workorder")
register_finder("Finished work orders", _finished, "workorders.view_workorderlogentry")
