"""Defaults and examples in the schema of a template are hidden where they may be values of Secrets."""

import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.masking import MASK
from templates_app.schema_masking import MaskLeft, mask_schema, restore_schema

TEMPLATE = (
    "kind: Secret\nstringData:\n  password: {{ password }}\n---\nkind: ConfigMap\ndata: {a: '{{ other }}'}\n"
)
PLAIN = "kind: ConfigMap\ndata: {password: '{{ password }}'}\n"


def schema(**properties: object) -> str:
    return json.dumps({"type": "object", "properties": properties}, indent=2)


@pytest.mark.parametrize(
    "part",
    [
        {"default": "hunter2"},
        {"default": {"a": ["hunter2"]}},
        {"default": 123456},
        {"example": "hunter2"},
        {"examples": ["hunter2", {"a": "hunter2"}]},
        {"examples": {"first": {"value": "hunter2"}}},
        {"examples": "hunter2"},
        {"properties": {"default": {"default": "hunter2"}}},
        {"anyOf": [{"items": {"default": "hunter2"}}]},
    ],
)
def test_what_may_get_into_a_secret_is_hidden(part):
    text = schema(password=part)
    masked = mask_schema(text, TEMPLATE)
    assert "hunter2" not in masked
    assert "123456" not in masked
    assert MASK in masked
    assert json.loads(masked)
    assert restore_schema(masked, TEMPLATE, text, TEMPLATE) == text


@pytest.mark.parametrize(
    "part",
    [
        {"default": None, "examples": [], "description": "hunter2"},
        {"default": "", "example": {}, "title": "hunter2"},
        {"enum": ["hunter2"], "const": {"default": "hunter2"}},
        {"properties": {"default": {"title": "hunter2"}}, "default": True},
    ],
)
def test_what_is_no_default_and_what_says_nothing_is_shown(part):
    text = schema(password=part)
    assert mask_schema(text, TEMPLATE) == text


def test_parameters_that_get_into_no_secret_keep_their_defaults():
    text = schema(password={"default": "hunter2"}, other={"default": "shown"})
    assert mask_schema(text, TEMPLATE) == text.replace('"hunter2"', MASK)
    assert mask_schema(text, PLAIN) == text


@pytest.mark.parametrize("mark", [{"writeOnly": True}, {"format": "password"}])
def test_a_schema_that_names_something_secret_hides_all(mark):
    text = schema(a={"type": "string", "default": "hunter2"}, b={"items": mark})
    assert "hunter2" not in mask_schema(text, PLAIN)


@pytest.mark.parametrize(
    "template",
    [
        "kind: Secret\ndata: [\n",
        "kind: {{ kind }}\ndata: {a: '{{ password }}'}\n",
        "kind: Secret\ndata: {a: '{{ __tera_context }}'}\n",
        "{% set x = password %}{% set y = x | trim %}\nkind: Secret\ndata: {a: '{{ y }}'}\n",
        "kind: Secret\ndata:\n{% for key, value in password %}\n  {{ key }}: {{ value }}\n{% endfor %}\n",
        "kind: Secret\ndata: {a: '{{ password.a | default(value=b) }}'}\n",
        "kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n    data: {a: {{ password }}}\n",
    ],
)
def test_the_way_into_a_secret_may_be_a_long_one(template):
    assert "hunter2" not in mask_schema(schema(password={"default": "hunter2"}), template)


def test_what_belongs_to_no_parameter_is_hidden_with_any():
    text = json.dumps({"default": {"password": "hunter2"}, "$defs": {"a": {"default": "hunter2"}}})
    assert "hunter2" not in mask_schema(text, TEMPLATE)
    assert mask_schema(text, PLAIN) == text


def test_a_text_that_is_no_json_is_hidden_as_a_whole():
    assert mask_schema('{"default": "hunter2"', TEMPLATE) == MASK


def test_a_mask_in_another_place_has_no_value():
    text = schema(password={"default": "hunter2"})
    masked = mask_schema(text, TEMPLATE)
    for changed, template in (
        (masked.replace("password", "other"), TEMPLATE),
        (masked, PLAIN),
        (masked.replace('"default"', '"example"'), TEMPLATE),
    ):
        with pytest.raises(MaskLeft) as left:
            restore_schema(changed, template, text, TEMPLATE)
        assert left.value.line == 5
    assert restore_schema(schema(a={"title": "********"}), PLAIN, text, TEMPLATE)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["default", "examples", "example", "properties", "items", "enum", "a"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(_JSON, st.sampled_from([None, 0, 2]))
def test_any_schema_stays_json_and_comes_back(value, indent):
    spelled = partial(json.dumps, indent=indent)
    text = spelled(value)
    masked = mask_schema(text, "kind: Secret\ndata: [\n")
    json.loads(masked)
    assert restore_schema(masked, "kind: Secret\ndata: [\n", text, "kind: Secret\ndata: [\n") == text


@pytest.mark.parametrize("word", ["description", "title", "$comment"])
def test_a_description_that_repeats_a_hidden_value_is_hidden_with_it(word):
    text = schema(
        password={"default": "hunter2", word: "such as hunter2"},
        other={word: "not hunter2!", "default": "shown", "properties": {word: {word: "shown"}}},
    )
    masked = mask_schema(text, TEMPLATE)
    assert "hunter2" not in masked
    assert masked.count(MASK) == 3
    assert restore_schema(masked, TEMPLATE, text, TEMPLATE) == text
    assert mask_schema(text, PLAIN) == text


def test_a_hidden_description_does_not_outlast_the_value_that_it_repeats():
    text = schema(password={"default": "hunter2", "description": "such as hunter2"})
    changed = mask_schema(text, TEMPLATE).replace(MASK, '"another"', 1)
    with pytest.raises(MaskLeft):
        restore_schema(changed, TEMPLATE, text, TEMPLATE)


def test_where_descriptions_are_too_long_to_be_searched_all_of_them_are_hidden(monkeypatch):
    text = schema(password={"default": "hunter2", "title": "Password"}, title={"description": "The title"})
    monkeypatch.setattr("templates_app.schema_masking._MAX_SEARCHED", 10)
    masked = mask_schema(text, TEMPLATE)
    assert masked == text.replace('"hunter2"', MASK).replace('"Password"', MASK).replace('"The title"', MASK)
    assert restore_schema(masked, TEMPLATE, text, TEMPLATE) == text
