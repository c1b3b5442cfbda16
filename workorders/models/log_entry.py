"""Finished work orders."""

from django.db import models

from agents.models import Agent
from workorders.models.work_order import MAX_WORK_TYPE


class WorkOrderLogEntry(models.Model):
    """How an order ended. It has the order's id and everything that is needed to make the order again."""

    id = models.UUIDField(primary_key=True, editable=False)
    work_type = models.CharField(max_length=MAX_WORK_TYPE)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField()
    claimed_by = models.ForeignKey(
        Agent, null=True, on_delete=models.PROTECT, related_name="finished_work_orders"
    )
    success = models.BooleanField()
    retries_attempted = models.IntegerField(default=0)
    result_message = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    yaml_content = models.TextField()
    # {"agent_ids": […], "labels": […], "annotations": {…}}; the fields after it are the limits of the order.
    targeting = models.JSONField()
    max_retries = models.IntegerField()
    backoff_seconds = models.IntegerField()
    claim_timeout_seconds = models.IntegerField()

    class Meta:
        db_table = "work_order_log"
        verbose_name = "finished work order"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(retries_attempted__gte=0), name="work_order_log_retries"
            )
        ]
        indexes = [models.Index(fields=["-completed_at", "-id"], name="work_order_log_listed")]

    def __str__(self) -> str:
        # The end of the id, because the beginning is the time, which is the same for many.
        return f"{self.work_type} …{str(self.id)[-8:]}"
