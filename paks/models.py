"""Keys: who may call. The database holds only a key's hash, never the key."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from core.moments import MomentField
from paks.querysets import PakQuerySet


class Role(models.TextChoices):
    ADMIN = "admin"
    AGENT = "agent"
    GENERATOR = "generator"


class Pak(models.Model):
    """One pre-authentication key (PAK). `subject_id` is a plain id, because `paks` may not import the owners' apps."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.CharField(max_length=16, choices=Role.choices)
    subject_id = models.UUIDField(null=True)
    name = models.CharField(max_length=255)
    # Empty for a key that is known only by its hash, because an administrator configured the hash.
    short_token = models.CharField(max_length=64)
    key_hash = models.CharField(max_length=64)
    created_at = MomentField()
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
