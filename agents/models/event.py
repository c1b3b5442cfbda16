"""What agents report, and what the broker keeps of it after the retention has deleted the events."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from agents.querysets import AgentEventQuerySet
from core.models import Resource
from core.moments import MomentField
from stacks.models import DeploymentObject, Stack

MAX_EVENT_TYPE = 50


class EventStatus(models.TextChoices):
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class AgentEvent(Resource):
    """A report that the agent sent `count` times, first at `created_at`, last at `updated_at`. An event on the wire."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="events", db_index=False)
    deployment_object = models.ForeignKey(
        DeploymentObject, to_field="id", on_delete=models.PROTECT, related_name="events", db_index=False
    )
    event_type = models.CharField(max_length=MAX_EVENT_TYPE)
    status = models.CharField(max_length=10, choices=EventStatus.choices)
    message = models.TextField(null=True)  # noqa: DJ001  # the wire tells null from empty
    count = models.PositiveIntegerField(default=1)

    objects = AgentEventQuerySet.as_manager()

    class Meta:
        db_table = "agent_events"
        verbose_name = "report"
        indexes = [
            models.Index(fields=["agent", "-created_at", "-id"], name="agent_events_of_agent"),
            # To find the agent's latest report on an object quickly, even if there are many different ones.
            models.Index(
                fields=["deployment_object", "agent", "-created_at", "-id"], name="agent_events_on_object"
            ),
            models.Index(fields=["-created_at", "-id"], name="agent_events_listed"),
            models.Index(
                fields=["-created_at", "-id"], name="agent_events_failed", condition=Q(status="FAILURE")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.status}"


class StackReport(models.Model):
    """The latest report of one agent on one stack. It stays when the retention deletes the events."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="stack_reports", db_index=False)
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="reports", db_index=False)
    # The newest object that the agent reported on; a late report on an older object does not replace it.
    sequence_id = models.BigIntegerField(default=0)
    status = models.CharField(max_length=10, choices=EventStatus.choices, default=EventStatus.SUCCESS)
    message = models.TextField(null=True)  # noqa: DJ001
    # Since when the object has had this status, and when the status was last reported.
    since = MomentField()
    reported_at = MomentField()

    class Meta:
        db_table = "agent_stack_reports"
        constraints = [models.UniqueConstraint(fields=["agent", "stack"], name="unique_stack_report")]
        indexes = [
            # To find the agents whose latest report on a stack is about an older version.
            models.Index(fields=["stack", "sequence_id"], name="stack_reports_of_stack"),
            models.Index(
                fields=["-since", "-id"], name="stack_reports_failing", condition=Q(status="FAILURE")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.stack_id} {self.status}"


class MarkerDelivery(models.Model):
    """A deletion marker that is owed to an agent. The row is deleted when the agent reports SUCCESS for the marker.

    When a stack is deleted, a row is written for each agent that serves it and was given a version of it. So the
    agent is told to remove what it deployed, even if labels change later. When an agent loses a stack that is not
    deleted, a row is written with a marker for this agent only; it is deleted too if the agent serves the stack again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="marker_deliveries", db_index=False
    )
    marker = models.ForeignKey(DeploymentObject, on_delete=models.CASCADE, related_name="marker_deliveries")
    created_at = MomentField()
    # Since when the agent has waited for a confirmation, because it would remove much at once, and when somebody
    # confirmed it.
    waits_since = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "removal"
        db_table = "agent_marker_deliveries"
        constraints = [models.UniqueConstraint(fields=["agent", "marker"], name="unique_marker_delivery")]

    def __str__(self) -> str:
        return f"{self.agent_id} must see #{self.marker_id}"
