import pytest

from tera import TemplateRenderError, TemplateSyntaxError, compile_template
from tests.tera.rendering import render_error, syntax_error


@pytest.mark.parametrize(
    ("template", "name", "place"),
    [
        ("a\n{{ x | nosuch }}", "nosuch", (2, 8)),
        ("{% filter nosuch %}{% endfilter %}", "nosuch", (1, 11)),
        ("{% filter default(value=1) %}{% endfilter %}", "default", (1, 11)),
        ("{{ nosuch(a=1) }}", "nosuch", (1, 4)),
        ("{% if x is nosuch %}{% endif %}", "nosuch", (1, 12)),
        ("{{ [f(a=x | nosuch)] }}", "nosuch", (1, 13)),
    ],
)
def test_unknown_filters_tests_and_functions_are_named_when_compiling(template, name, place):
    error = syntax_error(template)
    assert f"`{name}`" in error.message
    assert (error.line, error.column) == place


@pytest.mark.parametrize(
    "template",
    [
        "{{ a",
        "{{ }}",
        "{% if a %}",
        "{% endif %}",
        "{% else %}",
        "{% nosuch %}",
        "{% %}",
        "{##}",
        "{# a",
        "{{ 01 }}",
        "{{ +1 }}",
        "{{ 1. }}",
        "{{ .5 }}",
        "{{ 1e5 }}",
        "{{ 9223372036854775808 }}",
        "{{ 'a }}",
        "{{ [[1]] }}",
        "{{ {'a': 1} }}",
        "{{ a ** b }}",
        "{{ a if b else c }}",
        "{{ 1 < 2 < 3 }}",
        "{{ f(1) }}",
        "{{ 'a' + 'b' }}",
        "{{ not not a }}",
        "{{ (s | upper) == 'X' }}",
        "{{ a . b }}",
        "{{ a[0:1] }}",
        "{{ a[ 0 ] }}",
        "{{ 'a'[0] }}",
        "{{ a | f(1) }}",
        "{{ x is defined() }}",
        "{{ 5 is odd }}",
        "{% for a in 'x' %}{% endfor %}",
        "{% for a %}{% endfor %}",
        "{% break %}",
        "{% set a.b = 1 %}",
        "{% macro m(a=[1]) %}{% endmacro %}",
        "{% if a %}{% macro m() %}{% endmacro %}{% endif %}",
        "{% macro m() %}{% endmacro %}{% macro m() %}{% endmacro %}",
        "{% block a %}{% endblock %}{% block a %}{% endblock %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{% for a in b %}{% block c %}{% endblock %}{% endfor %}",
        "{% raw %}",
        "{%+ if a %}{% endif %}",
        "{% include x %}",
        "{% if(a) %}{% endif %}",
    ],
)
def test_what_is_not_in_the_grammar_is_a_syntax_error(template):
    with pytest.raises(TemplateSyntaxError):
        compile_template(template)


@pytest.mark.parametrize(
    ("template", "parts", "place"),
    [
        ("line\n  {{ missing.name }}", ["missing.name"], (2, 6)),
        ("{{ s | round }}", ["round", "number"], (1, 8)),
        ('{{ s | replace(from="a") }}', ["replace", "`to`"], (1, 8)),
        ("{{ arr | join(sep=1) }}", ["join", "`sep`", "string"], (1, 10)),
        ("{{ range(end=s) }}", ["range", "`end`"], (1, 4)),
        ("{{ get_env(name='PATH') }}", ["PATH"], (1, 4)),
        ("{% macro m(a) %}{% endmacro %}\n{{ self::m() }}", ["`m`", "`a`"], (2, 4)),
        ("{% macro m() %}\n{{ z }}{% endmacro %}{{ self::m() }}", ["`z`"], (2, 4)),
        ("{{ self::nosuch() }}", ["self::nosuch"], (1, 4)),
        ("{% for k in o %}{% endfor %}", ["two names"], (1, 1)),
        ("{% include 'x' %}", ["`x`"], (1, 1)),
        ("{{ throw(message='stop here') }}", ["stop here"], (1, 4)),
    ],
)
def test_a_render_error_says_what_and_where(template, parts, place):
    error = render_error(template, {"s": "x", "arr": [1], "o": {"k": 1}})
    assert all(part in error.message for part in parts)
    assert (error.line, error.column) == place


def test_both_errors_tell_their_place_as_text():
    assert str(TemplateRenderError("No", 2, 3)) == "No (line 2, column 3)"


def test_parameters_that_are_no_object_give_no_variables():
    compiled = compile_template("{{ a is defined }}")
    assert [compiled.render(value) for value in (None, [1], "a", 1)] == ["false"] * 4


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "\ud800", object(), {1: 2}, (1,), 10**400])
def test_what_is_not_json_is_refused(value):
    with pytest.raises(TemplateRenderError):
        compile_template("{{ a }}").render({"a": value})


def test_integers_out_of_range_become_floats():
    assert compile_template("{{ a }}").render({"a": 10**20}) == "100000000000000000000"
