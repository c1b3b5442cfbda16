"""The API's document in OpenAPI 3.0: made from the one in 3.1, and the same but for how it is said."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from core.api.openapi.version_3_0 import main, to_3_0
from tests.architecture.test_schema import DOCUMENT, document

COMMITTED = DOCUMENT.with_name("brokkr-v1-3.0.yaml")
converted = to_3_0(document)


def converted_schema(schema: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = to_3_0({"components": {"schemas": {"One": schema}}})["components"]["schemas"][
        "One"
    ]
    return made


def test_the_committed_file_is_what_the_command_writes(tmp_path: Path):
    target = tmp_path / "document.yaml"
    main(str(DOCUMENT), str(target))
    assert target.read_text(encoding="utf-8") == COMMITTED.read_text(encoding="utf-8")


def test_the_document_is_valid_in_version_3_0():
    assert converted["openapi"].startswith("3.0.")
    validate_schema(converted)


def test_the_original_is_left_as_it_was():
    before = copy.deepcopy(document)
    to_3_0(document)
    assert document == before


def test_operations_keep_their_names_parameters_bodies_answers_and_examples():
    assert converted["paths"].keys() == document["paths"].keys()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            made = converted["paths"][path][method]
            assert made["operationId"] == operation["operationId"]
            assert [one["name"] for one in made.get("parameters", [])] == [
                one["name"] for one in operation.get("parameters", [])
            ]
            assert made["responses"].keys() == operation["responses"].keys()
            bodies, made_bodies = (one.get("requestBody", {}).get("content", {}) for one in (operation, made))
            assert made_bodies.keys() == bodies.keys() & {"application/json"}
            for media_type, media in made_bodies.items():
                assert media["examples"] == bodies[media_type]["examples"]


def test_every_operation_has_one_kind_of_body_and_one_shape_of_success():
    for item in converted["paths"].values():
        for operation in item.values():
            assert len(operation.get("requestBody", {}).get("content", {})) <= 1
            contents = [
                answer["content"]
                for status, answer in operation["responses"].items()
                if status.startswith("2") and "content" in answer
            ]
            assert all(len(content) == 1 for content in contents)
            shapes = [media["schema"] for content in contents for media in content.values()]
            assert all(shape == shapes[0] for shape in shapes)


def test_two_shapes_of_success_become_either():
    schemas = converted["components"]["schemas"]
    answers = converted["paths"]["/api/v1/work-orders/{work_order_id}/complete"]["post"]["responses"]
    for status in ("200", "202"):
        shape = answers[status]["content"]["application/json"]["schema"]
        assert shape == {"$ref": "#/components/schemas/CompleteWorkOrderAnswer"}
    assert schemas["CompleteWorkOrderAnswer"] == {
        "oneOf": [
            {"$ref": "#/components/schemas/WorkOrderLog"},
            {"$ref": "#/components/schemas/RetryScheduled"},
        ]
    }


def test_schemas_keep_their_names_fields_and_what_is_required():
    before, after = document["components"]["schemas"], converted["components"]["schemas"]
    assert after.keys() == before.keys() | {"CompleteWorkOrderAnswer"}
    for name, schema in before.items():
        assert after[name].get("properties", {}).keys() == schema.get("properties", {}).keys()
        assert after[name].get("required") == schema.get("required")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string"]}, {"type": "string"}),
        (
            {"type": ["array", "null"], "items": {"type": ["integer", "null"]}},
            {"type": "array", "items": {"type": "integer", "nullable": True}, "nullable": True},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"oneOf": [{"$ref": "#/a"}, {"type": "null"}], "description": "a"},
            {"allOf": [{"$ref": "#/a"}], "description": "a", "nullable": True},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        ({"$ref": "#/a"}, {"$ref": "#/a"}),
        ({"$ref": "#/a", "description": "a"}, {"allOf": [{"$ref": "#/a"}], "description": "a"}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        (
            {"type": "integer", "exclusiveMinimum": 0},
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        ),
        (
            {"type": "object", "additionalProperties": {"type": ["string", "null"]}, "propertyNames": {}},
            {"type": "object", "additionalProperties": {"type": "string", "nullable": True}},
        ),
        # A field may have the name of a keyword.
        (
            {"type": "object", "properties": {"type": {"type": ["string", "null"]}, "const": {}}},
            {"type": "object", "properties": {"type": {"type": "string", "nullable": True}, "const": {}}},
        ),
        ({}, {}),
    ],
)
def test_what_3_1_says_is_said_as_3_0_does(schema, expected):
    assert converted_schema(schema) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "integer", "null"]},
        {"type": "null"},
        {"type": "array", "prefixItems": [{}]},
        {"type": "object", "properties": {"a": {"if": {}}}},
        {"items": {"patternProperties": {}}},
    ],
)
def test_what_3_0_cannot_say_is_refused(schema):
    with pytest.raises(ValueError, match=r"OpenAPI 3\.0"):
        converted_schema(schema)


def test_values_of_the_api_are_not_taken_for_schemas():
    media = {"example": {"schema": {"type": ["string", "null"]}}}
    content = {"paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": media}}}}}}}
    assert to_3_0(content)["paths"] == content["paths"]


def _with_null(node: Any) -> Any:
    """Schemas of 3.0 as JSON Schema: `nullable` beside a type is a second type."""
    if isinstance(node, list):
        return [_with_null(member) for member in node]
    if not isinstance(node, dict):
        return node
    made = {name: _with_null(member) for name, member in node.items()}
    return {"anyOf": [made, {"type": "null"}]} if made.pop("nullable", False) is True else made


REQUESTS = [
    (f"{operation['operationId']} {media_type}", media)
    for item in converted["paths"].values()
    for operation in item.values()
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items()
]


def test_examples_fit_the_schemas_that_came_out(subtests):
    components = _with_null(converted["components"])
    for name, media in REQUESTS:
        with subtests.test(name):
            schema = _with_null(media["schema"]) | {"components": components}
            for example in media["examples"].values():
                assert list(Draft202012Validator(schema).iter_errors(example["value"])) == []


def test_the_committed_file_holds_no_word_of_3_1():
    text = COMMITTED.read_text(encoding="utf-8")
    assert "'null'" not in text
    assert yaml.load(text, Loader=yaml.CSafeLoader) == converted
