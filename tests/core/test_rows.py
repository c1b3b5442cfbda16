"""Rows are written as their serializers' fields describe them, whatever the rows hold."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import get_resolver
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework import serializers

from audit.api.serializers.entries import AuditLogSerializer
from audit.models import AuditLog
from core.api.renderers import rows_to_json, to_json
from core.api.rows import Columns, RowSerializer, columns_of

# Loads every module with serializers.
_ = get_resolver().url_patterns


def subclasses(base: Any) -> Iterator[Any]:
    for each in base.__subclasses__():
        yield each
        yield from subclasses(each)


WITH_COLUMNS: list[tuple[type[RowSerializer[Any]], Columns]] = [
    (each, columns)
    for each in subclasses(RowSerializer)
    if hasattr(each, "Meta") and (columns := columns_of(each)) is not None
]
TIMES = st.one_of(
    st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis adds the zone
    st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda moment: moment.replace(microsecond=0)
    ),
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["", "\x7f\x1f\u2028\u2029\ufeff", '"\\/\b\f\n\r\t', "😀é</script>", "\0"]),
)
VALUES: dict[type[Any], st.SearchStrategy[Any]] = {
    serializers.BigIntegerField: st.integers(-(2**63), 2**63 - 1),
    serializers.BooleanField: st.booleans(),
    serializers.CharField: TEXTS,
    serializers.ChoiceField: TEXTS,
    serializers.DateTimeField: TIMES,
    serializers.IntegerField: st.integers(-(2**63), 2**63 - 1),
    serializers.UUIDField: st.uuids(),
}


def row_of(path: list[str], value: object, row: SimpleNamespace) -> None:
    for name in path[:-1]:
        row.__dict__.setdefault(name, SimpleNamespace())
        row = getattr(row, name)
    setattr(row, path[-1], value)


@pytest.mark.parametrize(
    ("serializer_class", "columns"), WITH_COLUMNS, ids=[each.__name__ for each, _ in WITH_COLUMNS]
)
@settings(max_examples=30)
@given(data=st.data())
def test_rows_are_written_as_the_fields_write_them(
    serializer_class: type[RowSerializer[Any]], columns: Columns, data: st.DataObject
) -> None:
    fields: Any = serializer_class().fields
    kinds = [st.one_of(st.none(), VALUES[type(field)]) for field in fields.values()]
    rows = data.draw(st.lists(st.tuples(*kinds), max_size=3))
    instances = []
    for values in rows:
        instance = SimpleNamespace()
        for field, value in zip(fields.values(), values, strict=True):
            row_of(field.source_attrs, value, instance)
        instances.append(instance)
    serializer: Any = serializer_class()
    expected = [serializers.ModelSerializer.to_representation(serializer, each) for each in instances]
    assert rows_to_json(rows, names=columns.names, times=columns.times) == to_json(expected)
    assert to_json([serializer.to_representation(each) for each in instances]) == to_json(expected)


def test_values_that_only_the_order_needs_are_left_out() -> None:
    assert rows_to_json([(uuid.UUID(int=1), "x")], names=["id"], times=[]) == (
        b'[{"id":"00000000-0000-0000-0000-000000000001"}]'
    )


def test_a_row_that_is_partly_computed_is_written_as_the_fields_write_it() -> None:
    entry = AuditLog(
        id=uuid.UUID(int=1),
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        actor_type="agent",
        actor_id=uuid.UUID(int=2),
        details={"name": "a", "more": [None, 1]},
        erased={"content": {}, "author": {}},
    )
    serializer = AuditLogSerializer(entry, context={"names": {entry.actor_id: "eu-1"}})
    by_fields = serializers.ModelSerializer.to_representation(serializer, entry)
    written = RowSerializer.to_representation(serializer, entry)
    assert columns_of(AuditLogSerializer) is None
    assert to_json(written) == to_json(by_fields)
    assert (written["actor_name"], written["erased"]) == ("eu-1", ["author", "content"])


def test_the_lists_that_grow_with_the_fleet_are_written_from_columns() -> None:
    assert {each.__name__ for each, _ in WITH_COLUMNS} >= {
        "AgentEventSerializer",
        "AgentSerializer",
        "DeploymentObjectSerializer",
        "DiagnosticRequestSerializer",
        "RegistrationSerializer",
        "StackLabelSerializer",
        "StackSerializer",
        "TemplateSerializer",
        "WorkOrderLogSerializer",
        "WorkOrderSerializer",
    }
