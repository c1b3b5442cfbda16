"""Versions of stacks. The wire and the table call a version a deployment object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from core.moments import MomentField
from stacks.models.stack import Stack
from stacks.querysets import DeploymentObjectQuerySet

if TYPE_CHECKING:
    from stacks.manifests import Finding


class DeploymentObject(models.Model):
    """One version of a stack, or its deletion marker. Written once: a trigger in the database refuses every change but
    `deleted_at`.

    `sequence_id` orders the versions of all stacks and is the primary key; on the wire, `id` identifies a version.
    """

    NOUN: ClassVar[str] = "deployment_object"

    # What apps above warned of while this version was published. It is not stored.
    warnings: Sequence[Finding] = ()

    sequence_id = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid7, editable=False)
    created_at = MomentField(editable=False)
    updated_at = MomentField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    stack = models.ForeignKey(
        Stack, on_delete=models.PROTECT, related_name="deployment_objects", db_index=False
    )
    yaml_content = models.TextField(editable=False)
    yaml_checksum = models.CharField(max_length=64, editable=False)
    submitted_at = MomentField(editable=False)
    is_deletion_marker = models.BooleanField(default=False, editable=False)
    # The agent for which alone this marker is, when the stack lives on. Such a marker is no version of the stack.
    recipient_id = models.UUIDField(null=True, editable=False)

    objects = DeploymentObjectQuerySet.as_manager()

    class Meta:
        db_table = "deployment_objects"
        verbose_name = "version"
        permissions = [("reveal_secrets", "Can see the values of Kubernetes secrets")]
        indexes = [
            # Includes the UUID, so that a poll reads only the index. SQLite ignores included columns.
            models.Index(
                fields=["stack", "-sequence_id"],
                include=["id"],
                name="versions_newest",
                condition=Q(deleted_at__isnull=True, recipient_id__isnull=True),
            ),
            # For questions about the past. Publishing does not write it.
            models.Index(
                fields=["stack", "-sequence_id"],
                name="versions_deleted",
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=["recipient_id", "stack"],
                name="markers_of_agent",
                condition=Q(recipient_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.sequence_id}"
