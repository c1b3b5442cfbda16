import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parameter_schemas.validation import InvalidSchema, check_schema, violations

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_6 = "http://json-schema.org/draft-06/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def violations_of(schema: object, parameters: object) -> list[str]:
    return violations(json.dumps(schema), parameters)


def refusal(schema: object) -> str:
    with pytest.raises(InvalidSchema) as caught:
        check_schema(schema if isinstance(schema, str) else json.dumps(schema))
    return caught.value.message


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


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T10:00:00.5+01:00", "2024-02-29 10:00"),
        ("time", "10:00:00Z", "10:00:00"),
        ("email", "a.b+c@example.com", "a@"),
        ("idn-email", "ä@bücher.example", "ä"),
        ("hostname", "a-b.example", "-a.example"),
        ("idn-hostname", "bücher.example", "-ä-"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "2001:db8::1", "2001:db8:::1"),
        ("uri", "http://[::1]:80/a?b#c", "/a"),
        ("uri-reference", "../a", "a\\b"),
        ("iri", "http://bücher.example/ä", "ä b"),
        ("uri-template", "/a/{b}", "/a/{b"),
        ("json-pointer", "/a/~0~1", "a"),
        ("relative-json-pointer", "1/a", "/a"),
        ("regex", "^\\d+(?:a|b)$", "("),
    ],
)
def test_formats_are_asserted(name, good, bad):
    assert violations_of({"format": name}, good) == []
    assert len(violations_of({"format": name}, bad)) == 1


def test_formats_are_asserted_in_the_drafts_that_have_them():
    schema = {"format": "uuid"}
    assert violations_of(schema, "x") == []
    assert len(violations_of({**schema, "$schema": DRAFT_2019}, "x")) == 1


def test_unknown_formats_are_ignored():
    assert violations_of({"format": "colour"}, "x") == []


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^\\d+$", "12", "\uff11\uff12"),
        ("^\\w+$", "a_1", "ä"),
        ("^[\\w.-]+$", "a-b.c", "a b"),
        ("^\\u0041\\x42\\cJ$", "AB\n", "AB"),
        ("^[[&~]+$", "[&~", "a"),
        ("a.b", "axb", "a\rb"),
        ("^(?<name>a)|\\S\\s$", "b ", " b"),
        ("^[^]{2}$", "a\n", "a"),
    ],
)
def test_patterns_mean_what_they_do_in_javascript(pattern, good, bad):
    assert violations_of({"pattern": pattern}, good) == []
    assert len(violations_of({"pattern": pattern}, bad)) == 1


@pytest.mark.parametrize("pattern", ["(?=a)", "(a)\\1", "(", "([ab]{1,1000}){1,1000}", "a" * 5000])
def test_patterns_the_linear_engine_cannot_search_are_refused(pattern):
    assert refusal({"pattern": pattern})
    assert refusal({"patternProperties": {pattern: {}}})


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
        (branching(50), 1),
        ({"$ref": "#"}, 1),
        ({"anyOf": [{"$ref": "#"}]}, 1),
        ({"allOf": [{"not": {}}] * 3000}, ["x" * 100_000] * 10),
        ({"properties": {"a": {"$ref": "#"}}}, nested(500)),
        ({"pattern": "(a+)+$"}, "a" * 50_000 + "!"),
        ({"pattern": "([ab]{1,60}){1,10}c"}, "ab" * 300_000),
        ({"type": "object"}, {"a": float("nan")}),
        ({"type": "object"}, object()),
        ({"items": {"type": "string"}}, list(range(50_000))),
    ],
)
def test_hostile_schemas_and_parameters_end_in_violations(schema, parameters):
    found = violations_of(schema, parameters)
    assert 0 < len(found) <= 1001


def test_items_that_compare_badly_are_told_apart_in_linear_time():
    items = [[number, "x"] if number % 2 else number for number in range(40_000)]
    assert violations_of({"uniqueItems": True}, items) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"not":' * 1000 + "1" + "}" * 1000,
        "[" * 100_000,
        '{"not":' * 70 + "{}" + "}" * 70,
        '"' + "x" * 300_000 + '"',
        json.dumps({"enum": list(range(20_000))}),
    ],
)
def test_deep_and_large_schemas_are_refused(text):
    assert refusal(text)


def test_a_long_message_is_cut():
    assert len(violations_of({"type": "string"}, ["x" * 1000])[0]) == 300


KEYWORDS = """
    $ref $id $anchor $schema $defs definitions additionalProperties allOf anyOf const contains dependencies
    enum exclusiveMaximum format if then items maxItems maxLength minimum multipleOf not oneOf pattern
    patternProperties properties propertyNames required type unevaluatedProperties uniqueItems
"""
keywords = st.sampled_from(KEYWORDS.split())
anything = st.recursive(
    st.sampled_from(
        [0, 1, -1, 2.5, True, None, "a", "#", "#/a", "http://[x", "x:y", "string", "object", "^a+$", "("]
    )
    | st.sampled_from([DRAFT_4, DRAFT_6, DRAFT_7, DRAFT_2019, DRAFT_2020, "date", "email", 10**30]),
    lambda inner: st.dictionaries(keywords, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(keywords, anything, max_size=4), anything)
def test_generated_schemas_are_refused_or_checked_cleanly(schema, parameters):
    text = json.dumps(schema)
    with suppress(InvalidSchema):
        check_schema(text)
        assert isinstance(violations(text, parameters), list)
