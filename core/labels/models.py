"""The base of the two tables that each labelled resource has. The concrete table adds the foreign key to the owner."""

from typing import ClassVar

from django.db import models
from uuid_utils.compat import uuid7

from core.events import EventKind
from core.models import Resource
from core.validators import MAX_LABEL


class LabelledResource(Resource):
    """A resource with `labels` and `annotations`."""

    # The resource's name in event kinds, resource types and body fields, in the singular.
    NOUN: ClassVar[str]
    # Has `<noun>.label_added` and its like.
    EVENT_KINDS: ClassVar[type[EventKind]]

    class Meta:
        abstract = True


class AbstractLabel(models.Model):
    """One word on a resource, unique there. The concrete table adds the owner as a key named by its noun."""

    UNIQUE: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    label = models.CharField(max_length=MAX_LABEL)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label


class AbstractAnnotation(models.Model):
    """One key with a value on a resource, the key unique there."""

    UNIQUE: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=MAX_LABEL)
    value = models.CharField(max_length=MAX_LABEL)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
