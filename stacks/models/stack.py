"""Stacks: Kubernetes objects that are deployed together, in versions."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.labels.models import AbstractAnnotation, AbstractLabel, LabelledResource
from core.validators import MAX_NAME
from generators.models import Generator
from stacks.event_kinds import StackEventKind
from stacks.querysets import StackQuerySet


class Stack(LabelledResource):
    NOUN: ClassVar[str] = "stack"
    EVENT_KINDS = StackEventKind

    name = models.CharField(max_length=MAX_NAME)
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # the wire tells null from empty
    generator = models.ForeignKey(Generator, on_delete=models.PROTECT, related_name="stacks")

    objects = StackQuerySet.as_manager()

    class Meta:
        db_table = "stacks"
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at__isnull=True), name="unique_stack_name"
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"], name="stacks_listed", condition=Q(deleted_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name


class StackLabel(AbstractLabel):
    UNIQUE: ClassVar[str] = "stack_labels_stack_id_label_key"

    # The constraint's index begins with the stack, so the foreign key needs no index of its own.
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="labels", db_index=False)

    class Meta:
        db_table = "stack_labels"
        constraints = [
            models.UniqueConstraint(fields=["stack", "label"], name="stack_labels_stack_id_label_key"),
            # Finds the stacks that share an agent's label without reading the table.
            models.UniqueConstraint(fields=["label", "stack"], name="stack_labels_by_label"),
        ]


class StackAnnotation(AbstractAnnotation):
    UNIQUE: ClassVar[str] = "unique_stack_annotation"

    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="annotations", db_index=False)

    class Meta:
        db_table = "stack_annotations"
        constraints = [
            models.UniqueConstraint(fields=["stack", "key"], name="unique_stack_annotation"),
            models.UniqueConstraint(fields=["key", "value", "stack"], name="stack_annotations_by_pair"),
        ]
