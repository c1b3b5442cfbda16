"""The audit log: one row for every change, written with the change."""

from django.db import models
from django.db.models import Q

from audit.querysets import AuditLogQuerySet


class AuditLog(models.Model):
    """No foreign keys, because a row outlives the resource it is about. `sequence` breaks ties between equal times.

    A seal holds the row without its personal and free texts, of which it holds two salted digests: of who did it
    (`actor_label`, `ip_address`, `user_agent`) and of what was done (`details`, `before`, `after`, `reason`). So each
    of the two can be erased, with its salt, and the seal still holds; `erased` then has the digest.
    """

    sequence = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True)
    timestamp = models.DateTimeField()
    actor_type = models.CharField(max_length=20)
    actor_id = models.UUIDField(null=True)
    # The key's name, the admin-site user or the command.
    actor_label = models.CharField(max_length=255, blank=True)
    key_id = models.UUIDField(null=True)
    action = models.CharField(max_length=100)
    resource_type = models.CharField(max_length=50)
    resource_id = models.UUIDField(null=True)
    details = models.JSONField(null=True)
    # The fields that changed; null where there was nothing, or is nothing any more.
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    # Why, in the words of whoever did it.
    reason = models.TextField(blank=True, default="", db_default="")
    ip_address = models.TextField(null=True)  # noqa: DJ001  # absent and empty differ on the wire
    user_agent = models.TextField(null=True)  # noqa: DJ001
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    # None in rows that were written before there were seals, and where the values are erased.
    author_salt = models.UUIDField(null=True)
    content_salt = models.UUIDField(null=True)
    # The digest of each part that is erased: {"author": "<hex>", "content": "<hex>"}.
    erased = models.JSONField(null=True)
    # The number of the seal. In no index: setting it must not touch any.
    seal = models.BigIntegerField(null=True)
    # Of the transaction that wrote it, and whatever it is about; a trigger writes it. Seals do not hold it: it can be
    # told only by the database that wrote it.
    transaction_number = models.BigIntegerField(null=True, editable=False)

    objects = AuditLogQuerySet.as_manager()

    class Meta:
        db_table = "audit_logs"
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        constraints = [
            models.CheckConstraint(
                condition=Q(actor_type__in=["admin", "agent", "generator", "system"]), name="audit_actor_type"
            )
        ]
        indexes = [
            models.Index(fields=["-timestamp", "-sequence"], name="audit_newest"),
            models.Index(fields=["actor_type", "actor_id", "-timestamp"], name="audit_by_actor"),
            # The id leads: it is unique over all types, and people search by it alone.
            models.Index(fields=["resource_id", "resource_type", "-timestamp"], name="audit_by_resource"),
            models.Index(fields=["action", "-timestamp"], name="audit_by_action"),
            # What people ask of the admin: what did this person, or this key, do?
            models.Index(fields=["actor_label", "-timestamp"], name="audit_by_actor_label"),
            # Who made a change that the history knows?
            models.Index(
                fields=["transaction_number"],
                name="audit_by_transaction",
                condition=Q(transaction_number__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_type}"
