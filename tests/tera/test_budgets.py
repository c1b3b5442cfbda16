"""Budgets stop a template. They are made small here: each template renders well without that."""

import pytest

from tera import TemplateRenderError, TemplateSyntaxError, compile_template, limits, patterns

LOOP = "{{% for i in range(end={}) %}}{}{{% endfor %}}"
RECURSION = "{% macro m(n) %}{% if n > 0 %}{{ self::m(n=n-1) }}{% endif %}{% endmacro %}{{ self::m(n=5) }}"
BRANCHING = """
{%- macro m(n) %}{% if n > 0 %}{{ self::m(n=n-1) }}{{ self::m(n=n-1) }}{% endif %}{% endmacro -%}
{{ self::m(n=9) }}
"""
BLOCKS = (
    "".join(
        f"{{% block b{i} %}}"
        + f"{{% if x %}}{{% block b{i + 1} %}}{{% endblock %}}{{% endif %}}" * 2
        + "{% endblock %}"
        for i in range(9)
    )
    + "{% block b9 %}{% endblock %}"
)
A = {"a": "a" * 100}

# What is made small, to what, and a template with parameters that does more.
RENDERED = {
    "a_loop": ("MAX_STEPS", 1_000, LOOP.format(2_000, ""), {}),
    "loops_in_loops": ("MAX_STEPS", 1_000, LOOP.format(40, LOOP.format(40, "")), {}),
    "macros_that_branch": ("MAX_STEPS", 500, BRANCHING, {}),
    "blocks_that_branch": ("MAX_STEPS", 500, BLOCKS, {"x": True}),
    "conditions": ("MAX_STEPS", 1_000, LOOP.format(600, "{% if i > 5 and i < 7 %}{% endif %}"), {}),
    "sorting": ("MAX_STEPS", 1_000, LOOP.format(50, "{% set x = a | sort %}"), {"a": list(range(300))}),
    "comparing": ("MAX_STEPS", 1_000, "{{ a == b }}", {"a": [1] * 2_000, "b": [1] * 2_000}),
    "looking_for": ("MAX_STEPS", 1_000, LOOP.format(9, "{{ 'x' in a }}"), {"a": [1] * 900}),
    "printing": ("MAX_STEPS", 1_000, "{{ a }}", {"a": [1] * 2_000}),
    "searching": ("MAX_STEPS", 1_000, "{{ a is matching('([ab]{1,9}){1,9}c') }}", {"a": "ab" * 300}),
    "a_range": ("MAX_RANGE_ITEMS", 100, LOOP.format(101, ""), {}),
    "a_stepped_range": ("MAX_RANGE_ITEMS", 100, "{{ range(end=400, step_by=3) | length }}", {}),
    "recursion": ("MAX_MACRO_DEPTH", 3, RECURSION, {}),
    "doubled_text": ("MAX_STRING_CHARACTERS", 100, LOOP.format(8, "{% set_global s = s ~ s %}"), {"s": "x"}),
    "replacing": ("MAX_STRING_CHARACTERS", 1_000, "{{ a | replace(from='', to=a) }}", A),
    "indenting": ("MAX_STRING_CHARACTERS", 1_000, "{{ a | indent(prefix=a) }}", {"a": "\n" * 40}),
    "joining": ("MAX_STRING_CHARACTERS", 1_000, "{{ range(end=20) | join(sep=a) }}", A),
    "a_section": ("MAX_STRING_CHARACTERS", 1_000, "{% filter upper %}" + "{{ a }}" * 11 + "{% endfilter %}", A),
    "dates": ("MAX_STRING_CHARACTERS", 1_000, "{{ 0 | date(format=f) }}", {"f": "%c" * 100}),
    "doubled_array": ("MAX_ALLOCATION", 1_000, LOOP.format(8, "{% set_global s = s | concat(with=s) %}"), {"s": [1]}),
    "nested_array": ("MAX_ALLOCATION", 1_000, LOOP.format(16, "{% set_global s = [s] %}"), {"s": [1]}),
    "doubly_nested_array": ("MAX_ALLOCATION", 1_000, LOOP.format(8, "{% set_global s = [s, s] %}"), {"s": [1]}),
    "kept_texts": ("MAX_ALLOCATION", 1_000, "{% set b = a ~ 1 %}{% set c = a ~ 2 %}" * 6, A),
    "the_context": ("MAX_ALLOCATION", 10_000, LOOP.format(30, "{% set x = __tera_context %}"), {"a": [[1] * 9] * 9}),
    "json": ("MAX_ALLOCATION", 10_000, LOOP.format(30, "{% set x = a | json_encode %}"), {"a": [[1] * 9] * 30}),
    "deep_values": ("MAX_VALUE_DEPTH", 10, "{{ a }}", {"a": [[[[[[[[[[1]]]]]]]]]]}),
    "output": ("MAX_OUTPUT_CHARACTERS", 1_000, "{{ a }}" * 11, A),
    "output_of_loops": ("MAX_OUTPUT_CHARACTERS", 10_000, LOOP.format(200, "{{ a }}"), A),
    "paths": ("MAX_KEY_CHARACTERS", 100, "{% if o[k] %}{% endif %}{{ o[k] }}", {"o": {"k" * 99: 1}, "k": "k" * 99}),
    "many_parameters": ("MAX_PARAMETER_VALUES", 10, "{{ a }}", {"a": [1] * 10}),
    "large_parameters": ("MAX_PARAMETER_CHARACTERS", 99, "{{ a }}", A),
}  # fmt: skip

# The same of compiling.
COMPILED = {
    "long": ("MAX_SOURCE_CHARACTERS", 100, "x" * 101),
    "tags": ("MAX_TAGS", 100, "{{ 1 }} " * 51),
    "expressions": ("MAX_EXPRESSIONS", 100, "{% if " + " and ".join(["a"] * 101) + " %}{% endif %}"),
    "parentheses": ("MAX_EXPRESSION_DEPTH", 5, "{{ ((((((1)))))) }}"),
    "brackets": ("MAX_EXPRESSION_DEPTH", 5, "{{ a[a[a[a[a[a[a]]]]]] }}"),
    "arguments": (
        "MAX_EXPRESSION_DEPTH",
        5,
        "{{ a | default(value=[b | default(value=[c | default(value=[d | default(value=1)])])]) }}",
    ),
    "ifs": ("MAX_BLOCK_DEPTH", 5, "{% if a %}" * 6 + "{% endif %}" * 6),
    "loops": ("MAX_LOOP_DEPTH", 5, "{% for a in b %}" * 6 + "{% endfor %}" * 6),
    "paths": ("MAX_KEY_CHARACTERS", 100, "{{ " + "a" * 101 + " is defined }}"),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_template_within_the_budget_renders(name):
    _, _, template, parameters = RENDERED[name]
    assert isinstance(compile_template(template).render(parameters), str)


@pytest.mark.parametrize("name", RENDERED)
def test_a_template_past_the_budget_ends_in_an_error(name, monkeypatch):
    limit, value, template, parameters = RENDERED[name]
    monkeypatch.setattr(limits, limit, value)
    with pytest.raises(TemplateRenderError):
        compile_template(template).render(parameters)


@pytest.mark.parametrize("name", COMPILED)
def test_a_template_within_the_limits_compiles(name):
    compile_template(COMPILED[name][2])


@pytest.mark.parametrize("name", COMPILED)
def test_a_template_past_a_limit_does_not_compile(name, monkeypatch):
    limit, value, template = COMPILED[name]
    monkeypatch.setattr(limits, limit, value)
    with pytest.raises(TemplateSyntaxError):
        compile_template(template)


def test_time_ends_a_rendering(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SECONDS", 0)
    with pytest.raises(TemplateRenderError, match="takes longer"):
        compile_template(LOOP.format(2_000, "")).render({})


@pytest.mark.parametrize(
    ("limit", "value", "pattern", "text"),
    [
        ("MAX_PATTERN_CHARACTERS", 10, "abcdefghijk", "x"),
        ("MAX_PATTERN_WEIGHT", 50, "([ab]{1,9}){1,9}", "x"),
        ("MAX_SEARCH_WORK", 1_000, "[ab]c", "x" * 200),
    ],
)
def test_large_patterns_and_long_searches_are_refused(limit, value, pattern, text, monkeypatch):
    compiled = compile_template("{{ text is matching(pattern) }}")
    assert compiled.render({"text": text, "pattern": pattern}) == "false"
    monkeypatch.setattr(patterns, limit, value)
    with pytest.raises(TemplateRenderError):
        compiled.render({"text": text, "pattern": pattern})


HARMLESS = {
    "precision": ("{{ 1.5 | round(precision=300) }}{{ 1 | round(precision=-300) }}", {}),
    "digits": ("{{ a | int }}{{ a | float }}", {"a": "1" * 10_000}),
    "repetitions_in_repetitions": (
        "{{ a is matching('(a+)+$') }}{{ a is matching('^(a|aa)+b') }}",
        {"a": "a" * 6_000 + "!"},
    ),
    "open_tags": ("{{ a | striptags | length }}", {"a": "<!-- >" * 1_700}),
    "apostrophes": ("{{ a | title | length }}", {"a": "a" + "'" * 4_000}),
    "spaces": ("{{" + " " * 25_000 + "a }}", {"a": 1}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_template_that_only_looks_expensive_renders(name):
    template, parameters = HARMLESS[name]
    assert compile_template(template).render(parameters) != ""


def test_conditions_do_not_hide_that_the_budget_is_spent(monkeypatch):
    monkeypatch.setattr(limits, "MAX_RANGE_ITEMS", 10)
    with pytest.raises(TemplateRenderError):
        compile_template("{% if a | default(value=range(end=11)) %}{% endif %}").render({})


def test_a_name_of_a_zone_is_no_name_of_a_file():
    with pytest.raises(TemplateRenderError):
        compile_template("{{ 0 | date(timezone='../../etc/passwd') }}").render({})


@pytest.mark.parametrize(
    "path",
    [
        "a.__class__",
        "a.__class__.__mro__",
        'a["__class__"]',
        "a.upper",
        "o.items",
        "o.keys",
        "o.get",
        "o.copy",
        "text",
        "self",
        "context",
        "environment",
        "loop",
        "range",
        "namespace",
        "dict",
    ],
)
def test_no_attribute_of_an_object_can_be_reached(path):
    compiled = compile_template("{{ " + path + " is defined }}")
    assert compiled.render({"a": "x", "o": {"k": 1}}) == "false"
