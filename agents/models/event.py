"""What agents report, and what the broker remembers of it after the events themselves are gone."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from agents.models.agent import Agent
from agents.querysets import AgentEventQuerySet
from core.models import Resource
from stacks.models import DeploymentObject, Stack

MAX_EVENT_TYPE = 50


class EventStatus(models.TextChoices):
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class AgentEvent(Resource):
    """What an agent says of one deployment object, from `created_at` to `updated_at`; said `count` times."""

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
        indexes = [
            models.Index(fields=["agent", "-created_at", "-id"], name="agent_events_of_agent"),
            # Leads to the agent's latest word on an object, however often the agent changed its mind.
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
    """The latest word of one agent on one stack. Outlives the events, which retention deletes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="stack_reports", db_index=False)
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="reports", db_index=False)
    # The newest object reported on; a late report on an older one does not replace it.
    sequence_id = models.BigIntegerField(default=0)
    status = models.CharField(max_length=10, choices=EventStatus.choices, default=EventStatus.SUCCESS)
    message = models.TextField(null=True)  # noqa: DJ001
    # Since when the status has been what it is for that object, and when it was last reported.
    since = models.DateTimeField(default=timezone.now)
    reported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "agent_stack_reports"
        constraints = [models.UniqueConstraint(fields=["agent", "stack"], name="unique_stack_report")]
        indexes = [
            # From a stack to the agents whose word is about an older version.
            models.Index(fields=["stack", "sequence_id"], name="stack_reports_of_stack"),
            models.Index(
                fields=["-since", "-id"], name="stack_reports_failing", condition=Q(status="FAILURE")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.stack_id} {self.status}"


class MarkerDelivery(models.Model):
    """A deletion marker that an agent must still receive; gone when the agent reports SUCCESS for it.

    Written when the stack is deleted, for the agents that serve it and were given anything of it, so that no later
    change of labels makes an agent forget to remove what it deployed; and when an agent loses a stack that lives on,
    with a marker for that agent alone, gone too when it serves the stack again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="marker_deliveries", db_index=False
    )
    marker = models.ForeignKey(DeploymentObject, on_delete=models.CASCADE, related_name="marker_deliveries")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "agent_marker_deliveries"
        constraints = [models.UniqueConstraint(fields=["agent", "marker"], name="unique_marker_delivery")]

    def __str__(self) -> str:
        return f"{self.agent_id} must see #{self.marker_id}"
