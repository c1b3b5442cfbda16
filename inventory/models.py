"""What is in versions: dictionaries of resources and images, and narrow rows that link both to versions."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.moments import MomentField
from inventory.querysets import EntryQuerySet
from stacks.manifests.contents import MAX_PART
from stacks.manifests.images import MAX_REPOSITORY, MAX_TAG
from stacks.models import DeploymentObject, Stack

_MAX_DIGEST = 135


class Resource(models.Model):
    """The identity of a Kubernetes object, once for all versions that contain it.

    Its id follows from the other fields (`inventory/identifiers.py`), so that rows can refer to it without a look-up.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    # Equal for all resources that are one object in a cluster, in whatever version of the API they are written.
    object_key = models.UUIDField(editable=False)
    api_group = models.CharField(max_length=MAX_PART)
    api_version = models.CharField(max_length=MAX_PART)
    kind = models.CharField(max_length=MAX_PART)
    namespace = models.CharField(max_length=MAX_PART)
    name = models.CharField(max_length=MAX_PART)

    class Meta:
        db_table = "inventory_resources"
        indexes = [
            models.Index(fields=["name", "kind", "namespace"], name="resources_by_name"),
            models.Index(fields=["kind", "namespace", "name"], name="resources_by_kind"),
            models.Index(fields=["namespace", "name"], name="resources_by_namespace"),
            models.Index(fields=["object_key"], name="resources_by_object"),
        ]

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


class ImageName(models.Model):
    """The name of an image in its one form. Its id follows from the other fields."""

    id = models.UUIDField(primary_key=True, editable=False)
    repository = models.CharField(max_length=MAX_REPOSITORY)
    tag = models.CharField(max_length=MAX_TAG)
    digest = models.CharField(max_length=_MAX_DIGEST)

    class Meta:
        db_table = "inventory_images"
        verbose_name = "image"
        indexes = [
            models.Index(fields=["repository", "tag", "digest"], name="images_by_repository"),
            models.Index(fields=["digest"], name="images_by_digest", condition=~Q(digest="")),
        ]

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


class Entry(models.Model):
    """A resource is in a version: one row without an image, and one more for each image that the resource names."""

    NOUN: ClassVar[str] = "inventory_entry"

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(DeploymentObject, on_delete=models.CASCADE, related_name="+")
    # The stack of the version, here so that a search for other stacks reads only the index.
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="+", db_index=False)
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="entries", db_index=False)
    image = models.ForeignKey(
        ImageName, null=True, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    # Whether the broker does not know the kind, and takes what looks like a container for one.
    is_guessed = models.BooleanField(default=False)
    # Equal for resources that are written alike. Never shown: it is also of Secrets.
    digest = models.BigIntegerField(editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        db_table = "inventory_entries"
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "stack", "version"],
                condition=Q(image__isnull=True),
                name="unique_inventory_resource",
            ),
            models.UniqueConstraint(
                fields=["image", "stack", "version", "resource"],
                condition=Q(image__isnull=False),
                name="unique_inventory_image",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource_id} in #{self.version_id}"


class UnreadVersion(models.Model):
    """A version of which the inventory has nothing, and why. The reason quotes nothing of the text."""

    version = models.OneToOneField(
        DeploymentObject, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    problem = models.TextField()
    created_at = MomentField(editable=False)

    class Meta:
        db_table = "inventory_unread_versions"

    def __str__(self) -> str:
        return f"#{self.version_id}: {self.problem}"


class Progress(models.Model):
    """How far the versions are read that were published before there was an inventory. There is one row."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    # Sequence ids: all versions up to the first are read; the past ends with the second.
    read_up_to = models.BigIntegerField(default=0)
    past_ends_with = models.BigIntegerField(default=0)

    class Meta:
        db_table = "inventory_progress"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_inventory_progress")]

    def __str__(self) -> str:
        return f"{self.read_up_to} of {self.past_ends_with}"

    @property
    def is_complete(self) -> bool:
        return self.read_up_to >= self.past_ends_with
