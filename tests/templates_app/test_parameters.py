"""Fields for parameters, read from a JSON Schema, and what is filled in read back to JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates_app.parameters import MAX_FIELDS, OTHERS, Kind, Parameter, parameters_of, read


def fields(properties: dict[str, Any], **schema: Any) -> list[Parameter]:
    whole = {"type": "object", "properties": properties, "additionalProperties": False} | schema
    return parameters_of(json.dumps(whole))


def text_list(**more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}} | more


def group(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def value_of(schema: dict[str, Any], text: str, **whole: Any) -> Any:
    return read(fields({"a": schema}, **whole), {"parameter:/a": text}).value


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, Kind.TEXT),
        ({"type": "integer"}, Kind.NUMBER),
        ({"type": "number"}, Kind.NUMBER),
        ({"type": ["null", "number"]}, Kind.NUMBER),
        ({"type": "boolean"}, Kind.BOOLEAN),
        ({"enum": ["a", 1]}, Kind.CHOICE),
        ({"const": "a"}, Kind.CHOICE),
        ({"type": "array", "items": {"type": "string"}}, Kind.LINES),
        ({"type": "array", "items": {"type": "object"}}, Kind.JSON),
        ({"type": "array"}, Kind.JSON),
        ({"type": "object", "properties": {"b": {}}}, Kind.GROUP),
        ({"properties": {"b": {}}}, Kind.GROUP),
        ({"type": "object"}, Kind.JSON),
        ({"type": ["string", "integer"]}, Kind.JSON),
        ({"oneOf": [{"type": "string"}]}, Kind.JSON),
        (True, Kind.JSON),
        ({"$ref": "#/definitions/a"}, Kind.NUMBER),
        ({"$ref": "#/definitions/nothing"}, Kind.JSON),
        ({"$ref": "#/definitions/loop"}, Kind.JSON),
    ],
)
def test_a_schema_has_the_field_that_it_says_plainly_or_json(schema, kind):
    definitions = {"a": {"type": "integer"}, "loop": {"$ref": "#/definitions/loop"}}
    (field,) = fields({"x": schema}, definitions=definitions)
    assert field.kind == kind


def test_a_field_says_what_the_schema_says():
    (field,) = fields(
        {
            "size": {
                "type": "integer",
                "title": "Size",
                "description": "In GiB",
                "default": 3,
                "minimum": 1,
                "maximum": 9,
            }
        },
        required=["size"],
    )
    assert (field.pointer, field.key, field.title, field.help) == ("/size", "size", "Size", "In GiB")
    assert (field.is_required, field.default) == (True, "3")
    assert field.hints == ("integer", "at least 1", "at most 9")


def test_fields_come_in_the_order_of_the_schema():
    assert [field.key for field in fields({"b": {}, "a": {}, "c": {}})] == ["b", "a", "c"]


def test_a_key_that_a_pointer_escapes_is_read_back():
    schema = fields({"a/b~c": {"type": "string"}})
    assert schema[0].pointer == "/a~1b~0c"
    assert read(schema, {"parameter:/a~1b~0c": "x"}).value == {"a/b~c": "x"}


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, " x ", {"a": " x "}),
        ({"type": "string"}, "12", {"a": "12"}),
        ({"type": "string"}, "", {}),
        ({"type": "integer"}, " 12 ", {"a": 12}),
        ({"type": "number"}, "1.5", {"a": 1.5}),
        ({"type": "integer"}, "many", {"a": "many"}),
        ({"type": "integer"}, "NaN", {"a": "NaN"}),
        ({"type": "integer"}, "true", {"a": "true"}),
        ({"type": "boolean"}, "false", {"a": False}),
        ({"type": "boolean"}, "", {}),
        ({"enum": ["x", 1, None]}, '"x"', {"a": "x"}),
        ({"enum": ["x", 1, None]}, "null", {"a": None}),
        ({"type": "array", "items": {"type": "string"}}, "x\r\n\r\n y \r\n", {"a": ["x", "y"]}),
        ({"type": "array", "items": {"type": "integer"}}, "1\n2\nx", {"a": [1, 2, "x"]}),
        ({"type": "array", "items": {"type": "string"}}, "", {}),
        ({"type": "object"}, '{"b": [1]}', {"a": {"b": [1]}}),
    ],
)
def test_what_is_filled_in_becomes_json(schema, text, value):
    assert value_of(schema, text) == value


def test_a_required_list_that_is_left_blank_is_empty():
    assert value_of({"type": "array", "items": {"type": "string"}}, "", required=["a"]) == {"a": []}


def test_defaults_count_until_the_field_is_sent():
    schema = fields(
        {
            "a": {"type": "string", "default": "x"},
            "b": {"type": "array", "items": {"type": "string"}, "default": ["1", "2"]},
        }
    )
    assert read(schema, {}).value == {"a": "x", "b": ["1", "2"]}
    assert read(schema, {"parameter:/a": "", "parameter:/b": ""}).value == {}


def test_groups_nest_and_a_blank_one_is_left_out():
    schema = fields(
        {
            "a": {
                "type": "object",
                "properties": {"b": {"type": "object", "properties": {"c": {"type": "integer"}}}},
            }
        }
    )
    assert read(schema, {"parameter:/a/b/c": "1"}).value == {"a": {"b": {"c": 1}}}
    assert read(schema, {"parameter:/a/b/c": ""}).value == {}


def test_what_is_no_json_is_a_problem_at_its_pointer():
    reading = read(fields({"a": {}}), {"parameter:/a": "{"})
    assert [problem.partition(": ")[0] for problem in reading.problems] == ["/a"]


def test_parameters_that_no_field_is_for_are_typed_as_json():
    schema = parameters_of('{"properties": {"a": {"type": "string"}}}')
    assert schema[-1] is OTHERS
    assert read(schema, {"parameter:/a": "x", "parameter:": '{"b": 1}'}).value == {"a": "x", "b": 1}
    assert read(schema, {"parameter:/a": "x", "parameter:": "[1]"}).problems == [
        "The other parameters must be a JSON object."
    ]


@pytest.mark.parametrize("text", ["true", "{}", "[1]", "{", "", "1", '{"type": "string"}'])
def test_a_schema_without_fields_takes_everything_as_json(text):
    assert parameters_of(text) == [OTHERS]
    assert read([OTHERS], {"parameter:": "[1]"}).value == [1]
    assert read([OTHERS], {}).value == {}


def test_too_many_fields_are_typed_as_json():
    many = {f"p{number}": {"type": "string"} for number in range(MAX_FIELDS + 1)}
    assert parameters_of(json.dumps({"properties": many, "additionalProperties": False})) == [OTHERS]
    (group,) = fields({"a": {"properties": many}})
    assert group.kind == Kind.JSON


def test_a_schema_that_contains_itself_has_a_form_of_bounded_depth():
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    depth, level = 0, parameters_of(json.dumps(schema))
    while level and level[0].fields:
        depth, level = depth + 1, list(level[0].fields)
    assert depth == 3
    assert level[0].kind == Kind.JSON


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["string", "object", "#", "#/a", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "enum",
                    "default",
                    "$ref",
                    "required",
                    "title",
                    "a",
                    "minimum",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(_JSON)
def test_no_schema_breaks_the_form(schema):
    found = parameters_of(json.dumps(schema))
    assert found
    read(found, {field.name: "1" for field in found})
