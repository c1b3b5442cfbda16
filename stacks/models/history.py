"""The past of what decides who serves a stack: its labels, its annotations and its owner."""

from django.db import models

from core.history import AbstractHistory
from core.validators import MAX_LABEL


class StackLabelHistory(AbstractHistory):
    stack_id = models.UUIDField()
    label = models.CharField(max_length=MAX_LABEL)

    class Meta(AbstractHistory.Meta):
        db_table = "stack_label_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["label", "stack_id"], name="stack_label_history_word"),
            models.Index(fields=["stack_id"], name="stack_label_history_stack"),
        ]

    def __str__(self) -> str:
        return self.label


class StackAnnotationHistory(AbstractHistory):
    stack_id = models.UUIDField()
    key = models.CharField(max_length=MAX_LABEL)
    value = models.CharField(max_length=MAX_LABEL)

    class Meta(AbstractHistory.Meta):
        db_table = "stack_annotation_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["key", "value", "stack_id"], name="stack_annotation_history_word"),
            models.Index(fields=["stack_id"], name="stack_annotation_history_stack"),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class StackOwnerHistory(AbstractHistory):
    """Which generator owned the stack. The row has an `id` of its own."""

    stack_id = models.UUIDField()
    generator_id = models.UUIDField()

    class Meta(AbstractHistory.Meta):
        db_table = "stack_owner_history"
        indexes = [
            *AbstractHistory.Meta.indexes,
            models.Index(fields=["stack_id"], name="stack_owner_history_stack"),
        ]

    def __str__(self) -> str:
        return f"{self.stack_id} of {self.generator_id}"
