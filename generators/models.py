"""Generators: the systems that own stacks and publish versions. The wire also calls them tenants."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models import Resource
from core.validators import MAX_NAME
from generators.querysets import GeneratorQuerySet


class Generator(Resource):
    NOUN: ClassVar[str] = "generator"

    name = models.CharField(max_length=MAX_NAME)
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # the wire tells null from empty
    # The last time it created a stack or published, to the minute.
    last_active_at = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(default=True, help_text="An inactive generator cannot create or publish.")
    is_system = models.BooleanField(default=False, editable=False)

    objects = GeneratorQuerySet.as_manager()

    class Meta:
        db_table = "generators"
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at__isnull=True), name="unique_generator_name"
            ),
            models.UniqueConstraint(
                fields=["is_system"],
                condition=Q(is_system=True, deleted_at__isnull=True),
                name="one_system_generator",
            ),
        ]

    def __str__(self) -> str:
        return self.name
