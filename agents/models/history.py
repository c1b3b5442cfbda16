"""The past of what agents carried, served, were owed and were offered, and of their silence."""

from django.db import models
from uuid_utils.compat import uuid7

from agents.models.hold import HoldReason
from core.history import AbstractHistory
from core.validators import MAX_LABEL


class AgentLabelHistory(AbstractHistory):
    agent_id = models.UUIDField()
    label = models.CharField(max_length=MAX_LABEL)

    class Meta(AbstractHistory.Meta):
        db_table = "agent_label_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["agent_id"], name="agent_label_history_agent"),
            models.Index(fields=["label"], name="agent_label_history_word"),
        ]

    def __str__(self) -> str:
        return self.label


class AgentAnnotationHistory(AbstractHistory):
    agent_id = models.UUIDField()
    key = models.CharField(max_length=MAX_LABEL)
    value = models.CharField(max_length=MAX_LABEL)

    class Meta(AbstractHistory.Meta):
        db_table = "agent_annotation_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["agent_id"], name="agent_annotation_history_agent"),
            models.Index(fields=["key", "value"], name="agent_annotation_history_word"),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class TargetHistory(AbstractHistory):
    agent_id = models.UUIDField()
    stack_id = models.UUIDField()

    class Meta(AbstractHistory.Meta):
        db_table = "agent_target_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["agent_id"], name="agent_target_history_agent"),
            models.Index(fields=["stack_id"], name="agent_target_history_stack"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} targeted {self.stack_id}"


class RegistrationHistory(AbstractHistory):
    agent_id = models.UUIDField()
    generator_id = models.UUIDField()

    class Meta(AbstractHistory.Meta):
        db_table = "agent_registration_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["agent_id"], name="registration_history_agent"),
            models.Index(fields=["generator_id"], name="registration_history_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} for {self.generator_id}"


class HoldHistory(AbstractHistory):
    version_id = models.BigIntegerField()
    reason = models.CharField(max_length=30, choices=HoldReason.choices)

    class Meta(AbstractHistory.Meta):
        db_table = "object_hold_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["version_id"], name="object_hold_history_version"),
        ]

    def __str__(self) -> str:
        return f"#{self.version_id} {self.reason}"


class MarkerDeliveryHistory(AbstractHistory):
    """A marker that was owed to the agent, until it reported SUCCESS or the marker was withdrawn."""

    agent_id = models.UUIDField()
    marker_id = models.BigIntegerField()

    class Meta(AbstractHistory.Meta):
        db_table = "agent_marker_delivery_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["agent_id"], name="marker_history_agent"),
            models.Index(fields=["marker_id"], name="marker_history_marker"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} had to see #{self.marker_id}"


class OfferHistory(models.Model):
    """An offer that was forgotten, because the agent removed the stack or was deleted.

    A trigger writes it when the offer is deleted, not when it is made: that would cost polls something.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    agent_id = models.UUIDField()
    version_id = models.BigIntegerField()
    stack_id = models.UUIDField()
    offered_at = models.DateTimeField()

    class Meta:
        db_table = "agent_offer_history"
        indexes = [
            models.Index(fields=["agent_id", "offered_at"], name="agent_offer_history_agent"),
            models.Index(fields=["stack_id", "offered_at"], name="agent_offer_history_stack"),
            models.Index(fields=["offered_at", "id"], name="agent_offer_history_age"),
        ]

    def __str__(self) -> str:
        return f"#{self.version_id} to {self.agent_id}"


class AgentSilence(models.Model):
    """A time in which the agent was silent: from its last heartbeat to the announcement that it is heard again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent_id = models.UUIDField()
    since = models.DateTimeField()
    announced_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agent_silences"
        indexes = [
            models.Index(fields=["agent_id", "announced_at"], name="agent_silences_agent"),
            models.Index(
                fields=["ended_at", "id"],
                name="agent_silences_end",
                condition=models.Q(ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} since {self.since}"
