"""Which reports came by sync, so that a report that is sent again is not recorded again."""

from django.db import models
from uuid_utils.compat import uuid7

from agents.models import Agent


class ReceivedReport(models.Model):
    """The id that an agent gave to one of its reports, on an outcome or on health.

    An agent sends a report until it has an answer. So the same report can come twice, and after a newer one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="received_reports", db_index=False
    )
    report_id = models.UUIDField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "sync_received_reports"
        constraints = [models.UniqueConstraint(fields=["agent", "report_id"], name="unique_received_report")]
        indexes = [models.Index(fields=["received_at", "id"], name="received_reports_by_age")]

    def __str__(self) -> str:
        return f"{self.report_id} of {self.agent_id}"
