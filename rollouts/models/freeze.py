"""Freezes: while a freeze holds, the versions that agents should have do not change."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from core.moments import MomentField
from core.validators import MAX_LABEL
from generators.models import Generator
from rollouts.querysets import FreezeQuerySet


class Freeze(models.Model):
    """A freeze of the whole fleet, of a generator's stacks, or of all stacks that agents with a label serve.

    It holds until it is lifted, even after its time is over: then a job lifts it and emits the event.
    """

    NOUN: ClassVar[str] = "freeze"

    class Scope(models.TextChoices):
        FLEET = "fleet"
        GENERATOR = "generator"
        LABEL = "label"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = MomentField(editable=False)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    generator = models.ForeignKey(Generator, on_delete=models.PROTECT, null=True, related_name="freezes")
    label = models.CharField(max_length=MAX_LABEL, blank=True)
    reason = models.TextField()
    until = models.DateTimeField(null=True)
    # The name of the key, person or command that began it.
    created_by = models.CharField(max_length=255, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=255, blank=True)
    has_expired = models.BooleanField(default=False)

    objects = FreezeQuerySet.as_manager()

    class Meta:
        db_table = "freezes"
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(scope="fleet", generator__isnull=True, label="")
                    | Q(scope="generator", generator__isnull=False, label="")
                    | (Q(scope="label", generator__isnull=True) & ~Q(label=""))
                ),
                name="freeze_scope",
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], name="freezes_holding", condition=Q(lifted_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.label}".strip()
