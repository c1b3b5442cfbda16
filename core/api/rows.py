"""Serializers of rows, for long lists.

DRF asks each field of each row how to write its value. A RowSerializer asks the fields only once for each class, and
only from which column a value comes: ids and times become text in one form, and other values need no change. The fields
are still the source of the published schema. A test checks that both ways write the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from rest_framework import serializers

from core.api.renderers import time_text

_Row = TypeVar("_Row", bound=Model)
# Fields whose value needs no change, or becomes text in the one form. The type must be exactly one of these, because a
# subclass may write something else.
_PLAIN = {
    serializers.BigIntegerField,
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateTimeField,
    serializers.IntegerField,
    serializers.UUIDField,
}

_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    serializers.DateTimeField: time_text,
    serializers.UUIDField: str,
}


# A serializer of rows for answers. It is fast if the answer has only columns. This is not a docstring, because the
# schema would show it for every serializer without its own docstring.
class RowSerializer(serializers.ModelSerializer[_Row]):
    def to_representation(self, instance: Any) -> dict[str, Any]:
        columns = columns_of(type(self))
        if columns is None:
            return super().to_representation(instance)
        return {name: read(instance) for name, read in zip(columns.names, columns.readers, strict=True)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a serializer writes.

    It has their names in the answer and in a query, the function that reads them from an instance, and the names of
    those that contain times.
    """

    names: Sequence[str]
    lookups: Sequence[str]
    readers: Sequence[Callable[[Any], object]]
    times: Sequence[str]


@cache
def columns_of(serializer_class: type[serializers.BaseSerializer[Any]]) -> Columns | None:
    """The columns of the whole answer; None if any part of the answer is not simply a column."""
    if not issubclass(serializer_class, RowSerializer):
        return None
    changed = serializer_class.to_representation is not RowSerializer.to_representation
    model, fields = serializer_class.Meta.model, serializer_class().fields
    if changed or not all(_is_column(field, model) for field in fields.values()):
        return None
    return Columns(
        names=list(fields),
        lookups=["__".join(field.source_attrs) for field in fields.values()],
        readers=[_reader(field) for field in fields.values()],
        times=[name for name, field in fields.items() if type(field) is serializers.DateTimeField],
    )


def _is_column(field: Any, model: type[Model]) -> bool:
    """Whether a plain field reads a column of the model, or of a row that the model's row refers to."""
    if type(field) not in _PLAIN:
        return False
    *relations, column = field.source_attrs
    try:
        for name in relations:
            relation: Any = model._meta.get_field(name)
            model = relation.related_model
        return bool(model._meta.get_field(column).concrete)
    except FieldDoesNotExist:
        return False


def _reader(field: Any) -> Callable[[Any], object]:
    # The related row may be missing; only the field knows what to write then.
    read = field.get_attribute if len(field.source_attrs) > 1 else attrgetter(field.source)
    write = _WRITERS.get(type(field))
    if write is None:
        return cast(Callable[[Any], object], read)

    def text(row: Any) -> object:
        value = read(row)
        return None if value is None else write(value)

    return text
