"""Agents. An agent is a process in a cluster that applies the versions that the broker has for it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from agents.event_kinds import AgentEventKind
from agents.querysets import AgentQuerySet
from core.labels.models import AbstractAnnotation, AbstractLabel, LabelledResource
from core.validators import MAX_NAME

MAX_STATUS = 50
MAX_AGENT_VERSION = 50


class Agent(LabelledResource):
    NOUN: ClassVar[str] = "agent"
    EVENT_KINDS = AgentEventKind

    name = models.CharField(max_length=MAX_NAME)
    cluster_name = models.CharField(max_length=MAX_NAME)
    # Free text on the wire. Only ACTIVE has a meaning: an agent works only while its own status is ACTIVE.
    status = models.CharField(max_length=MAX_STATUS, default="INACTIVE")
    # How old the last heartbeat may be; if it is null, the setting counts. The field after it holds the heartbeat whose
    # age was announced, until the next heartbeat is noticed.
    silent_after_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="The agent counts as silent when its last heartbeat is older. Empty: as the setting says.",
    )
    silent_since = models.DateTimeField(null=True, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        db_table = "agents"
        constraints = [
            models.UniqueConstraint(
                fields=["name", "cluster_name"],
                condition=Q(deleted_at__isnull=True),
                name="unique_agent_cluster",
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"], name="agents_listed", condition=Q(deleted_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.cluster_name})"


class AgentHeartbeat(models.Model):
    """What an agent's heartbeats and reports write. The row is narrow, and no column that changes is indexed.

    It has a table of its own because many queries read the agents table, which changes rarely.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, primary_key=True, related_name="heartbeat")
    last_heartbeat = models.DateTimeField(null=True)
    k8s_reachable = models.BooleanField(null=True)
    k8s_api_latency_ms = models.IntegerField(null=True)
    k8s_reported_at = models.DateTimeField(null=True)
    # What an agent that calls sync says of itself; null for the others.
    agent_version = models.CharField(max_length=MAX_AGENT_VERSION, null=True)  # noqa: DJ001
    # When the agent last reported on a deployment object, even if it repeated its last report.
    last_report_at = models.DateTimeField(null=True)
    # When the agent last reported that it has removed a stack, and what it had been offered of it was forgotten.
    offers_forgotten_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agent_heartbeats"

    def __str__(self) -> str:
        return f"{self.agent_id} {self.last_heartbeat}"


class AgentLabel(AbstractLabel):
    UNIQUE: ClassVar[str] = "agent_labels_agent_id_label_key"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="labels", db_index=False)

    class Meta:
        db_table = "agent_labels"
        constraints = [
            models.UniqueConstraint(fields=["agent", "label"], name="agent_labels_agent_id_label_key"),
            # To find the agents that share a label of a stack.
            models.UniqueConstraint(fields=["label", "agent"], name="agent_labels_by_label"),
        ]


class AgentAnnotation(AbstractAnnotation):
    UNIQUE: ClassVar[str] = "agent_annotations_agent_id_key_key"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="annotations", db_index=False)

    class Meta:
        db_table = "agent_annotations"
        constraints = [
            models.UniqueConstraint(fields=["agent", "key"], name="agent_annotations_agent_id_key_key"),
            # The index contains the value, so that matching reads only the index.
            models.UniqueConstraint(fields=["agent", "key", "value"], name="agent_annotations_pairs"),
            models.UniqueConstraint(fields=["key", "value", "agent"], name="agent_annotations_by_pair"),
        ]
