"""Keys: who may call. The key itself is nowhere, only its hash."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from paks.querysets import PakQuerySet


class Role(models.TextChoices):
    ADMIN = "admin"
    AGENT = "agent"
    GENERATOR = "generator"


class Pak(models.Model):
    """One pre-authenticated key. It names its owner by plain id, because keys know no agent and no generator."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.CharField(max_length=16, choices=Role.choices)
    subject_id = models.UUIDField(null=True)
    name = models.CharField(max_length=255)
    # Empty for a key known only by its hash, as an administrator may configure one.
    short_token = models.CharField(max_length=64)
    key_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    objects = PakQuerySet.as_manager()

    class Meta:
        db_table = "paks"
        verbose_name = "key"
        constraints = [
            # Not `unique=True`: that adds a second index for LIKE, which the planner then picks.
            models.UniqueConstraint(fields=["key_hash"], name="unique_pak_hash"),
            models.CheckConstraint(
                condition=Q(role="admin", subject_id__isnull=True)
                | (Q(role__in=["agent", "generator"]) & Q(subject_id__isnull=False)),
                name="pak_subject_fits_role",
            ),
        ]
        indexes = [models.Index(fields=["subject_id"], name="paks_subject")]

    def __str__(self) -> str:
        return f"{self.role} key {self.name}"
