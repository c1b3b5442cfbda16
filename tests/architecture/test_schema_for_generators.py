"""The OpenAPI document, as generators of clients read it: types they know, names that stay apart in each language."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from core.api.fields import parse_uuid
from tests.architecture.test_schema import API_OPERATIONS, OPERATIONS, document

SCHEMAS: dict[str, Any] = document["components"]["schemas"]
# What tools put before and after the name of a schema to name something beside its type: in Go, constructors and
# nullables.
_BESIDE_A_SCHEMA = [("new", ""), ("new", "withdefaults"), ("nullable", ""), ("newnullable", "")]
# The same for the name of an operation: its parameters, bodies, answers and errors.
_BESIDE_AN_OPERATION = [
    ("", "request"),
    ("", "response"),
    ("", "params"),
    ("", "jsonbody"),
    ("", "jsonrequestbody"),
    ("", "error"),
    ("", "success"),
    ("api", "request"),
]


def _folded(name: str) -> str:
    """The name without what the spellings of Go, Python, TypeScript and Rust tell apart: case, `_` and `-`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _nodes(member)


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(map(_folded, names)).items() if count > 1]


def test_no_type_is_a_list_of_more_than_one_and_null():
    lists = [node["type"] for node in _nodes(document) if isinstance(node.get("type"), list)]
    assert lists
    assert [names for names in lists if len(names) != 2 or "null" not in names] == []


def test_a_body_of_several_forms_has_a_name():
    """Of one without, oapi-codegen makes a type that has none of the methods by which its value is written."""
    bodies = [
        media["schema"]
        for operation in OPERATIONS.values()
        for content in [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in content.get("content", {}).values()
    ]
    assert bodies
    assert [body for body in bodies if body.keys() & {"oneOf", "anyOf", "allOf", "properties"}] == []


def test_names_of_schemas_differ_in_every_spelling():
    assert _repeated(list(SCHEMAS)) == []


def test_no_schema_has_the_name_of_an_answer_or_a_header():
    components = document["components"]
    others = {name for kind in ("responses", "headers") for name in components.get(kind, {})}
    assert components["schemas"].keys() & others == set()


def test_names_of_operations_differ_in_every_spelling():
    assert _repeated([operation["operationId"] for operation in OPERATIONS.values()]) == []


def test_no_schema_has_the_name_of_what_is_made_beside_another():
    names = {_folded(name) for name in SCHEMAS}
    derived = {before + name + after for name in names for before, after in _BESIDE_A_SCHEMA}
    assert names & derived == set()


def test_no_schema_has_the_name_of_what_is_made_for_an_operation():
    operations = {_folded(operation["operationId"]) for operation in OPERATIONS.values()}
    derived = {before + name + after for name in operations for before, after in _BESIDE_AN_OPERATION}
    assert {_folded(name) for name in SCHEMAS} & derived == set()


def test_no_schema_has_the_name_of_what_is_made_for_a_field_of_another():
    """Tools name the type of a field, where it has none of its own, by the schema and the field."""
    derived = {
        _folded(name + field)
        for name, schema in SCHEMAS.items()
        for field, rule in schema.get("properties", {}).items()
        if {"enum", "properties", "oneOf"} & rule.keys() and "$ref" not in str(rule)
    }
    assert derived
    assert {_folded(name) for name in SCHEMAS} & derived == set()


def _examples_with_ids() -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, operation in API_OPERATIONS.items():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for title, example in media["examples"].items():
                for node in _nodes(example["value"]):
                    for field, value in node.items():
                        if isinstance(value, str) and parse_uuid(value):
                            yield f"{name} {title} {field}", example, field


EXAMPLES_WITH_IDS = list(_examples_with_ids())


@pytest.mark.parametrize(
    ("example", "field"),
    [(example, field) for _, example, field in EXAMPLES_WITH_IDS],
    ids=[name for name, _, _ in EXAMPLES_WITH_IDS],
)
def test_an_example_says_where_the_ids_are_that_belong_into_it(example, field):
    assert re.search(rf"`{field}`: [^;]*(from|gave)", example["description"])
