import json
import sys

import pytest

from parameter_schemas import budget, check_schema
from tera import limits
from tests.parameter_schemas.checking import (
    DRAFT_4,
    DRAFT_6,
    DRAFT_7,
    DRAFT_2019,
    DRAFT_2020,
    refusal,
    violations_of,
)


@pytest.mark.parametrize("schema", [{}, True, False, {"type": "object"}, {"unknownKeyword": 1}])
def test_schemas_are_objects_and_booleans(schema):
    check_schema(json.dumps(schema))


@pytest.mark.parametrize(
    "text", ["", "nope", "[]", '"a"', "1", "null", "NaN", '{"maximum": 1e999}', '{"a": "\\ud800"}']
)
def test_other_texts_are_not_schemas(text):
    assert refusal(text)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"a": {"type": 5}}},
        {"required": "a"},
        {"minLength": -1},
        {"$schema": DRAFT_4, "exclusiveMinimum": 3},
        {"$schema": DRAFT_6, "exclusiveMinimum": True},
        {"$ref": "#/title", "title": "not a schema"},
        {"$ref": "#/x-hidden", "x-hidden": {"type": "nonsense"}},
        {"$schema": DRAFT_4, "$ref": 5},
    ],
)
def test_what_the_draft_does_not_allow_is_refused(schema):
    assert refusal(schema)


@pytest.mark.parametrize(
    "reference",
    [
        "http://example.com/schema.json",
        "file:///etc/passwd",
        "other.json",
        "#/nowhere",
        "#nowhere",
        "http://[",
        "#/%",
    ],
)
def test_a_reference_out_of_the_schema_is_refused_and_not_fetched(reference):
    assert "leads nowhere" in refusal({"properties": {"a": {"$ref": reference}}})


def test_references_in_the_schema_and_to_meta_schemas_are_followed():
    schema = {"definitions": {"port": {"maximum": 9}}, "properties": {"a": {"$ref": "#/definitions/port"}}}
    assert violations_of(schema, {"a": 10}) == ["/a: 10 is greater than the maximum of 9"]
    assert violations_of({"$ref": DRAFT_7}, {"type": 1}) != []


def test_a_property_or_value_called_ref_is_no_reference():
    check_schema(json.dumps({"properties": {"$ref": {"type": "string"}}, "enum": [{"$ref": "http://x"}]}))


def test_all_violations_are_listed_with_pointers():
    schema = {
        "required": ["name", "image"],
        "properties": {"a/b": {"items": {"type": "integer"}}, "c~d": {"minimum": 3}},
        "additionalProperties": False,
    }
    assert sorted(violations_of(schema, {"a/b": [1, "x"], "c~d": 1, "extra": 1})) == [
        "'image' is a required property",
        "'name' is a required property",
        "/a~1b/1: 'x' is not of type 'integer'",
        "/c~0d: 1 is less than the minimum of 3",
        'The property "extra" is not allowed',
    ]


def test_parameters_that_fit_have_no_violations():
    assert violations_of({"properties": {"a": {"type": "string"}}}, {"a": "x"}) == []


@pytest.mark.parametrize(
    ("schema", "parameters"),
    [
        ({"$schema": DRAFT_4, "minimum": 3, "exclusiveMinimum": True}, 3),
        ({"$schema": DRAFT_6, "exclusiveMinimum": 3}, 3),
        ({"exclusiveMinimum": 3}, 3),
        ({"$schema": "http://example.com/unknown", "if": {"type": "integer"}, "then": False}, 3),
        ({"$schema": DRAFT_2019, "dependentRequired": {"a": ["b"]}}, {"a": 1}),
        ({"$schema": DRAFT_2019, "unevaluatedProperties": False}, {"a": 1}),
        ({"$schema": DRAFT_2020, "prefixItems": [{"type": "string"}]}, [1]),
        ({"$schema": DRAFT_2020, "$defs": {"x": {"$anchor": "q", "type": "null"}}, "$ref": "#q"}, 1),
    ],
)
def test_the_draft_is_chosen_by_its_name(schema, parameters):
    assert len(violations_of(schema, parameters)) == 1


def test_keywords_of_newer_drafts_are_ignored_in_older_ones():
    assert violations_of({"prefixItems": [{"type": "string"}]}, [1]) == []


def test_pattern_properties_and_additional_properties_agree():
    schema = {"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "integer"}}
    assert sorted(violations_of(schema, {"x-a": 1, "b": "c", "x-ok": "", "ok": 1})) == [
        "/b: 'c' is not of type 'integer'",
        "/x-a: 1 is not of type 'string'",
    ]


def test_a_multiple_is_one_in_decimal_digits():
    assert violations_of({"multipleOf": 0.01}, 1.13) == []
    assert len(violations_of({"multipleOf": 0.01}, 1.135)) == 1


def test_unique_items_compare_numbers_by_value_and_not_with_booleans():
    assert violations_of({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}]) == []
    assert len(violations_of({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}])) == 1


def branching(levels: int) -> dict[str, object]:
    definitions: dict[str, object] = {
        f"a{level}": {"anyOf": [{"$ref": f"#/definitions/a{level + 1}"}] * 2} for level in range(levels)
    }
    definitions[f"a{levels}"] = {"type": "string"}
    return {"definitions": definitions, "$ref": "#/definitions/a0"}


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("schema", "parameters"),
    [
        (branching(9), 1),
        ({"properties": {"a": {"$ref": "#"}}}, nested(60)),
        ({"allOf": [{"not": {"type": "string"}}] * 90}, 1),
        ({"properties": {"a": {"enum": ["x" * 50] * 900}}}, {"a": 1}),
        ({"items": {"type": "string"}}, ["x"] * 500),
        ({"uniqueItems": True}, list(range(2_000))),
        (
            {
                "$schema": DRAFT_2020,
                "allOf": [{"properties": {"a": {}}}] * 30,
                "unevaluatedProperties": False,
            },
            {"a": 1},
        ),
    ],
)
def test_the_budget_ends_a_check(schema, parameters, monkeypatch):
    within = violations_of(schema, parameters)
    assert within != ["The parameters take too much work to check against the schema."]
    monkeypatch.setattr(limits, "MAX_STEPS", 500)
    assert violations_of(schema, parameters) == [
        "The parameters take too much work to check against the schema."
    ]


def test_a_schema_and_parameters_that_are_deep_together_are_refused(monkeypatch):
    schema = {"properties": {"a": {"allOf": [{"$ref": "#"}]}}}
    assert violations_of(schema, nested(30)) == []
    monkeypatch.setattr(budget, "_FRAMES_LEFT", sys.getrecursionlimit())
    assert violations_of(schema, nested(30)) == [
        "The parameters and the schema are nested too deeply to be checked."
    ]


@pytest.mark.parametrize(
    "parameters", [{"a": float("nan")}, object(), nested(65)], ids=["no number", "no JSON", "deep"]
)
def test_parameters_that_cannot_be_checked_are_refused(parameters):
    assert len(violations_of({"type": "object"}, parameters)) == 1


def test_no_more_than_a_thousand_violations_are_listed():
    found = violations_of({"items": {"type": "string"}}, list(range(1_100)))
    assert len(found) == 1001
    assert found[-1] == "There are more than 1000 violations."


def test_items_that_compare_badly_are_told_apart_in_linear_time():
    items = [[number, "x"] if number % 2 else number for number in range(40_000)]
    assert violations_of({"uniqueItems": True}, items) == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3_000 + "]" * 3_000,
        '{"not":' * 70 + "{}" + "}" * 70,
        '"' + "x" * 300_000 + '"',
        json.dumps({"enum": list(range(20_000))}),
    ],
)
def test_deep_and_large_schemas_are_refused(text):
    assert refusal(text)


def test_a_long_message_is_cut():
    assert len(violations_of({"type": "string"}, ["x" * 1000])[0]) == 300
