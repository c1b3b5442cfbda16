"""Template versions, which never change, and what was rendered from them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from core.labels.models import AbstractAnnotation, AbstractLabel, LabelledResource
from core.moments import MomentField
from core.validators import MAX_NAME
from generators.models import Generator
from stacks.models import DeploymentObject
from templates_app.event_kinds import TemplateEventKind
from templates_app.querysets import TemplateQuerySet


class StackTemplate(LabelledResource):
    """One version of a template. Without a generator it is a system template, which every generator may use."""

    NOUN: ClassVar[str] = "template"
    EVENT_KINDS = TemplateEventKind

    generator = models.ForeignKey(
        Generator, null=True, blank=True, on_delete=models.PROTECT, related_name="templates", db_index=False
    )
    name = models.CharField(max_length=MAX_NAME)
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # the wire tells null from empty
    version = models.PositiveIntegerField(default=1, editable=False)
    template_content = models.TextField()
    parameters_schema = models.TextField()
    # Lower-case hex SHA-256 of the content.
    checksum = models.CharField(max_length=64, editable=False)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        db_table = "stack_templates"
        verbose_name = "template"
        constraints = [
            models.UniqueConstraint(
                fields=["generator", "name", "version"],
                condition=Q(deleted_at__isnull=True, generator__isnull=False),
                name="unique_template_version",
            ),
            # A constraint of its own, because SQLite does not treat nulls as equal.
            models.UniqueConstraint(
                fields=["name", "version"],
                condition=Q(deleted_at__isnull=True, generator__isnull=True),
                name="unique_system_template_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class TemplateLabel(AbstractLabel):
    UNIQUE: ClassVar[str] = "template_labels_template_id_label_key"

    template = models.ForeignKey(
        StackTemplate, on_delete=models.CASCADE, related_name="labels", db_index=False
    )
    created_at = MomentField()

    class Meta:
        db_table = "template_labels"
        constraints = [
            models.UniqueConstraint(
                fields=["template", "label"], name="template_labels_template_id_label_key"
            )
        ]


class TemplateAnnotation(AbstractAnnotation):
    UNIQUE: ClassVar[str] = "template_annotations_template_id_key_key"

    template = models.ForeignKey(
        StackTemplate, on_delete=models.CASCADE, related_name="annotations", db_index=False
    )
    created_at = MomentField()

    class Meta:
        db_table = "template_annotations"
        constraints = [
            models.UniqueConstraint(
                fields=["template", "key"], name="template_annotations_template_id_key_key"
            )
        ]


class RenderedObject(models.Model):
    """The source of a stack's version: template, template version, and parameters as JSON text with sorted keys."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    deployment_object = models.OneToOneField(
        DeploymentObject, to_field="id", on_delete=models.CASCADE, related_name="rendered_from"
    )
    template = models.ForeignKey(StackTemplate, on_delete=models.PROTECT, related_name="rendered_objects")
    template_version = models.PositiveIntegerField()
    template_parameters = models.TextField()
    created_at = MomentField()

    class Meta:
        db_table = "rendered_deployment_objects"

    def __str__(self) -> str:
        return f"{self.deployment_object_id} from {self.template_id}"
