"""Keys: who may call. The database holds only a key's hash, never the key."""

from django.db import models
from django.db.models import F, Q
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
    # From this second on the key is no good. It is the expiry, or earlier for a key that has been replaced.
    ends_at = models.DateTimeField(null=True)
    # What the key's issuer decided. A key that replaces this one on its own request lasts no longer.
    expires_at = models.DateTimeField(null=True, blank=True)
    # When it was announced that the key ends soon.
    end_announced_at = models.DateTimeField(null=True)
    is_read_only = models.BooleanField(default=False, db_default=False)
    # Limits.as_json(); null for a key without limits.
    limits = models.JSONField(null=True)
    last_used_at = models.DateTimeField(null=True)
    # From where, when the last use was noted.
    last_used_address = models.TextField(default="", db_default="", blank=True)

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
            models.CheckConstraint(
                condition=Q(role="admin") | Q(is_read_only=False), name="only_admin_paks_are_read_only"
            ),
            models.CheckConstraint(
                condition=Q(role="generator") | Q(limits__isnull=True), name="only_generator_paks_have_limits"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(ends_at__lte=F("expires_at")),
                name="pak_ends_by_its_expiry",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_id"], name="paks_subject"),
            models.Index(
                fields=["ends_at"],
                name="paks_ending",
                condition=Q(ends_at__isnull=False, revoked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} key {self.name}"

    @property
    def is_replaced(self) -> bool:
        """Whether the key works on only beside the one that replaces it, so that it ends before its expiry."""
        return self.ends_at != self.expires_at
