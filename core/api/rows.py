"""Serializers of rows, for long lists.

DRF asks each field of each row how to write its value. A RowSerializer asks those fields that are only columns once for
each class: ids and times become text in one form, and other values need no change. Only what is computed, such as
the name of an actor, is asked for each row. The fields are still the source of the published schema. A test checks that
both ways write the same.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, TypeVar, cast

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from rest_framework import serializers
from rest_framework.fields import SkipField

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

# In place of the value of a field that this row does not have.
_LEFT_OUT = object()
_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    serializers.DateTimeField: time_text,
    serializers.UUIDField: str,
}


# A serializer of rows for answers. It is fastest if the answer has only columns. This is not a docstring, because the
# schema would show it for every serializer without its own docstring.
class RowSerializer(serializers.ModelSerializer[_Row]):
    def to_representation(self, instance: Any) -> dict[str, Any]:
        columns = columns_of(type(self))
        if columns is None:
            values = ((name, read(instance)) for name, read in self._readers.items())
            return {name: value for name, value in values if value is not _LEFT_OUT}
        return columns.represent(instance)

    @cached_property
    def _readers(self) -> dict[str, Callable[[Any], object]]:
        # Not `self.fields`, because making all fields takes longer than writing many rows.
        return {name: read or self._computed(name) for name, read in _stored_readers(type(self)).items()}

    def _computed(self, name: str) -> Callable[[Any], object]:
        field = copy.deepcopy(self._declared_fields[name])
        field.bind(name, self)
        return _asks(field)


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

    def represent(self, row: Model) -> dict[str, Any]:
        """What the serializer writes of the row."""
        return {name: read(row) for name, read in zip(self.names, self.readers, strict=True)}


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


def represent(serializer_class: type[RowSerializer[_Row]], row: _Row) -> dict[str, Any]:
    """What the serializer writes of one row. All of it must be columns, so that no serializer need be made."""
    columns = columns_of(serializer_class)
    if columns is None:
        raise TypeError(f"{serializer_class.__name__} does not only write columns")
    return columns.represent(row)


@cache
def _stored_readers(
    serializer_class: type[RowSerializer[Any]],
) -> dict[str, Callable[[Any], object] | None]:
    """For each field, the function that reads it from an instance if it is stored as it is written; None if it is
    computed.
    """
    model, fields = serializer_class.Meta.model, serializer_class().fields
    return {
        name: _reader(field) if _is_stored(field, model) else None
        for name, field in fields.items()
        if not field.write_only
    }


def _asks(field: Any) -> Callable[[Any], object]:
    """The function that asks the field itself, as DRF does."""

    def value(row: Any) -> object:
        try:
            attribute = field.get_attribute(row)
        except SkipField:
            return _LEFT_OUT
        return None if attribute is None else field.to_representation(attribute)

    return value


def _is_column(field: Any, model: type[Model]) -> bool:
    """Whether a plain field reads a column of the model, or of a row that the model's row refers to."""
    return type(field) in _PLAIN and _is_in_table(field, model)


def _is_stored(field: Any, model: type[Model]) -> bool:
    """Whether a field is a column, also one of JSON, or a list of texts."""
    if type(field) is serializers.ListField and type(field.child) is serializers.CharField:
        return len(field.source_attrs) == 1
    return (type(field) in _PLAIN or _is_json(field)) and _is_in_table(field, model)


def _is_json(field: Any) -> bool:
    """Whether the field writes a value of JSON as it is."""
    writes_as_is = type(field).to_representation is serializers.JSONField.to_representation
    return isinstance(field, serializers.JSONField) and writes_as_is and not field.binary


def _is_in_table(field: Any, model: type[Model]) -> bool:
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
