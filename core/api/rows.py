"""Serializers of rows, made for long lists.

DRF asks every field of every row how its value is written. A RowSerializer asks the fields once per class, and only
where a value comes from: ids and times become text in one form, and the other values need no change. The fields remain
the source of the published schema; a test compares what both ways write.
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
# Fields whose value needs no change, or becomes text in the one form. Exact types: a subclass may write something else.
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


# A serializer of rows for answers, quick when the answer has nothing but columns. Not a docstring, which would be
# published as that of every serializer without one.
class RowSerializer(serializers.ModelSerializer[_Row]):
    def to_representation(self, instance: Any) -> dict[str, Any]:
        columns = columns_of(type(self))
        if columns is None:
            return super().to_representation(instance)
        return {name: read(instance) for name, read in zip(columns.names, columns.readers, strict=True)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a serializer writes: their names in the answer and in a query, what reads them from an instance,
    and the names of those that hold times.
    """

    names: Sequence[str]
    lookups: Sequence[str]
    readers: Sequence[Callable[[Any], object]]
    times: Sequence[str]


@cache
def columns_of(serializer_class: type[serializers.BaseSerializer[Any]]) -> Columns | None:
    """The columns that make the whole answer; None when anything in the answer is not simply a column."""
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
    # A row that is referred to may be missing; the field knows what stands for its columns then.
    read = field.get_attribute if len(field.source_attrs) > 1 else attrgetter(field.source)
    write = _WRITERS.get(type(field))
    if write is None:
        return cast(Callable[[Any], object], read)

    def text(row: Any) -> object:
        value = read(row)
        return None if value is None else write(value)

    return text
