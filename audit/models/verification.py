"""Verifications of the whole chain, which the worker does."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class AuditVerification(models.Model):
    """One check of all seals and entries, asked for by an operator or begun by the worker."""

    NOUN: ClassVar[str] = "audit_verification"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        HOLDS = "holds"
        BROKEN = "broken"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    requested_by = models.CharField(max_length=255)
    # A hash that must be in the chain, kept by whoever asks; empty for none.
    expected_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    # When the worker last said how far it is.
    seen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # What was checked, for progress and for the record.
    seals = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)
    erased = models.BigIntegerField(default=0)
    # The first seal that does not hold, and why.
    broken_seal = models.BigIntegerField(null=True)
    finding = models.CharField(max_length=20, blank=True)
    explanation = models.TextField(blank=True)

    class Meta:
        db_table = "audit_verifications"
        verbose_name = "audit verification"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "holds", "broken"]),
                name="audit_verification_state",
            )
        ]
        indexes = [models.Index(fields=["-created_at"], name="audit_verifications_newest")]

    def __str__(self) -> str:
        return f"Verification of {self.created_at:%Y-%m-%d %H:%M}"
