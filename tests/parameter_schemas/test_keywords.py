"""What keywords mean in each draft, where the original, the library and the specification differ."""

import pytest

from tests.parameter_schemas.checking import (
    DRAFT_4,
    DRAFT_6,
    DRAFT_7,
    DRAFT_2019,
    DRAFT_2020,
    refusal,
    violations_of,
)

OLD = [DRAFT_4, DRAFT_6, DRAFT_7]
NEW = [DRAFT_2019, DRAFT_2020]


def test_integers_that_no_float_tells_apart_differ():
    assert len(violations_of({"const": 2**53 + 1}, 2**53)) == 1
    assert violations_of({"multipleOf": 3}, 2**53 + 1) == []


@pytest.mark.parametrize("draft", OLD)
def test_names_and_schemas_stand_beside_each_other_in_dependencies(draft):
    schema = {"$schema": draft, "dependencies": {"auth": {"required": ["user"]}, "tls": ["cert"]}}
    assert violations_of(schema, {"auth": 1, "user": 1}) == []
    assert len(violations_of(schema, {"tls": 1, "auth": 1})) == 2


@pytest.mark.parametrize(
    "dependencies", [{"a": ["b"], "c": {"pattern": "("}}, {"c": {"pattern": "("}, "a": ["b"]}]
)
def test_every_schema_in_dependencies_is_checked(dependencies):
    assert refusal({"dependencies": dependencies})


def test_dependencies_mean_nothing_in_drafts_without_them():
    assert violations_of({"$schema": DRAFT_2020, "dependencies": {"a": ["b"]}}, {"a": 1}) == []


@pytest.mark.parametrize("items", [True, {}])
def test_beside_one_schema_for_all_items_there_are_no_additional_ones(items):
    assert violations_of({"items": items, "additionalItems": False}, [1]) == []
    assert violations_of({"additionalItems": False}, [1]) == []


def test_additional_items_follow_a_list_of_schemas():
    schema = {"items": [{"type": "string"}], "additionalItems": {"type": "integer"}}
    assert violations_of(schema, ["a", 1]) == []
    assert violations_of(schema, ["a", "b"]) == ["/1: 'b' is not of type 'integer'"]
    assert violations_of({**schema, "additionalItems": False}, ["a", 1]) == ["/1: This item is not allowed"]


@pytest.mark.parametrize("draft", [DRAFT_6, DRAFT_7])
def test_contents_are_asserted_where_the_original_does(draft):
    assert violations_of({"$schema": draft, "contentEncoding": "base64"}, "aGk=") == []
    assert len(violations_of({"$schema": draft, "contentEncoding": "base64"}, "not base64!!")) == 1
    json_content = {"$schema": draft, "contentMediaType": "application/json"}
    assert violations_of(json_content, "[1]") == []
    assert len(violations_of(json_content, "[")) == 1
    assert len(violations_of(json_content, "NaN")) == 1
    both = {**json_content, "contentEncoding": "base64"}
    assert violations_of(both, "WzFd") == []
    assert len(violations_of(both, "Ww==")) == 1
    assert violations_of({**json_content, "contentEncoding": "other"}, "[") == []
    assert violations_of({**both, "contentMediaType": "text/plain"}, "!!") == []


@pytest.mark.parametrize("draft", [DRAFT_4, *NEW])
def test_contents_are_annotations_elsewhere(draft):
    schema = {"$schema": draft, "contentEncoding": "base64", "contentMediaType": "application/json"}
    assert violations_of(schema, "not base64!!") == []


def test_contents_of_other_kinds_are_not_looked_at():
    assert violations_of({"contentEncoding": "quoted-printable", "contentMediaType": "text/html"}, "<") == []


def test_unevaluated_properties_mean_nothing_in_draft_7():
    schema = {"patternProperties": {"^a": {}}, "unevaluatedProperties": False}
    assert violations_of(schema, {"a": 1, "b": 1}) == []


@pytest.mark.parametrize("draft", NEW)
def test_unevaluated_properties_are_those_that_no_other_keyword_looked_at(draft):
    schema = {
        "$schema": draft,
        "$defs": {"d": {"properties": {"d": {}}}},
        "properties": {"a": {}},
        "patternProperties": {"^p": {}},
        "allOf": [{"$ref": "#/$defs/d"}, {"if": {"required": ["i"]}, "then": {"properties": {"i": {}}}}],
        "unevaluatedProperties": {"type": "string"},
    }
    assert violations_of(schema, {"a": 1, "p1": 1, "d": 1, "i": 1, "rest": "text"}) == []
    assert violations_of(schema, {"rest": 1}) == ["/rest: 1 is not of type 'string'"]
    schema["unevaluatedProperties"] = False
    assert violations_of(schema, {"rest": 1}) == ["/rest: This property is not allowed"]


def test_unevaluated_items_follow_what_other_keywords_looked_at():
    schema = {"$schema": DRAFT_2020, "prefixItems": [{}], "contains": {"const": 7}, "unevaluatedItems": False}
    assert violations_of(schema, [1, 7]) == []
    assert violations_of(schema, [1, 7, 8]) == ["/2: This item is not allowed"]


@pytest.mark.parametrize("draft", NEW)
def test_no_item_need_match_where_that_is_said(draft):
    assert violations_of({"$schema": draft, "contains": {"const": 1}, "minContains": 0}, []) == []


def test_a_list_of_schemas_is_no_value_of_items_since_prefix_items_are():
    assert refusal({"$schema": DRAFT_2020, "items": [{"type": "string"}]})
    assert violations_of({"$schema": DRAFT_2019, "items": [{"type": "string"}]}, ["a"]) == []


@pytest.mark.parametrize("draft", NEW)
@pytest.mark.parametrize(
    ("schema", "parameters"),
    [
        ({"unevaluatedProperties": False}, {"a": 1}),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}),
        ({"$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a", "maxLength": 2}, "long"),
    ],
)
def test_new_drafts_are_read_by_their_specification(schema, parameters, draft):
    assert len(violations_of({"$schema": draft, **schema}, parameters)) == 1


@pytest.mark.parametrize("values", [[], [1, 1]])
def test_an_enumeration_of_draft_4_has_values_that_differ(values):
    assert refusal({"$schema": DRAFT_4, "enum": values})


def test_one_draft_holds_for_a_whole_schema():
    inner = {"$schema": DRAFT_4, "const": 1}
    assert len(violations_of({"properties": {"a": inner}}, {"a": 2})) == 1


def test_an_identifier_counts_for_references_wherever_a_schema_stands():
    inner = {"$id": "http://x/inner", "$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}
    assert violations_of({"$schema": DRAFT_2020, "not": inner}, 1) == []


def test_an_identifier_that_is_no_uri_is_refused():
    assert refusal({"$id": "http://a/", "properties": {"a": {"$id": "http://["}}})
