"""Templates that try to hurt the server: each ends in one of the two errors, in little time and memory."""

import os
import resource
import signal
import traceback

import pytest

from tera import TemplateRenderError, TemplateSyntaxError, compile_template

MEGABYTE = 1024 * 1024
ALLOWED_SECONDS = 20  # a bound that a loaded machine meets; the budget itself is below one second
ALLOWED_MEMORY = 200 * MEGABYTE


def nested(value: object, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


def doubled(levels: int) -> list[object]:
    value: list[object] = [1]
    for _ in range(levels):
        value = [value, value]
    return value


LOOP = "{{% for i in range(end=100000) %}}{}{{% endfor %}}"
BRANCHING = """
{%- macro m(n) %}{% if n > 0 %}{{ self::m(n=n-1) }}{{ self::m(n=n-1) }}{% endif %}{% endmacro -%}
{{ self::m(n=35) }}
"""
A = {"a": "a" * 1000}
HOSTILE = {
    "range": ("{% for i in range(end=1000000000) %}x{% endfor %}", {}),
    "range_without_step": ("{{ range(end=5, step_by=0) }}", {}),
    "nested_loops": (LOOP.format(LOOP.format("")), {}),
    "many_loops": (
        "".join(f"{{% for x{i} in a %}}" for i in range(16)) + "{% endfor %}" * 16,
        {"a": [1, 2, 3]},
    ),
    "string_doubling": (LOOP.format("{% set_global s = s ~ s %}"), {"s": "x"}),
    "array_doubling": (LOOP.format("{% set_global s = s | concat(with=s) %}"), {"s": [1]}),
    "array_nesting": (LOOP.format("{% set_global s = [s] %}"), {"s": [1]}),
    "laughing_arrays": (LOOP.format("{% set_global s = [s, s] %}"), {"s": [1]}),
    "many_variables": ("".join(f"{{% set x{i} = a ~ {i} %}}" for i in range(2900)), {"a": "a" * 900_000}),
    "replace": ("{{ a | replace(from='', to=a) }}", {"a": "a" * 100_000}),
    "indent": ("{{ a | indent(prefix=a) }}", {"a": "\n" * 10_000}),
    "join": ("{{ range(end=100000) | join(sep=a) }}", A),
    "output": (LOOP.format("x" * 1000), {}),
    "section_output": ("{% filter upper %}" + LOOP.format("x" * 100_000) + "{% endfilter %}", {}),
    "recursive_macro": ("{% macro m() %}{{ self::m() }}{% endmacro %}{{ self::m() }}", {}),
    "branching_macro": (BRANCHING, {}),
    "deep_recursion": (
        "{% macro m() %}{{ " + "[x | default(value=" * 19 + "self::m()" + ")]" * 19 + " }}"
        "{% endmacro %}{{ self::m() }}",
        {},
    ),
    "self_include": ("{% include 'template' %}", {}),
    "block_explosion": (
        "".join(
            f"{{% block b{i} %}}"
            + f"{{% if x %}}{{% block b{i + 1} %}}{{% endblock %}}{{% endif %}}" * 2
            + "{% endblock %}"
            for i in range(60)
        ),
        {},
    ),
    "parentheses": ("{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}", {}),
    "brackets": ("{{ " + "a[" * 50_000, {}),
    "arrays": ("{{ " + "[(" * 50_000, {}),
    "defaults": ("{{ " + "[x | default(value=" * 5_000 + "1" + ")]" * 5_000 + " }}", {}),
    "ifs": ("{% if a %}" * 10_000 + "{% endif %}" * 10_000, {}),
    "fors": ("{% for a in b %}" * 7_000, {}),
    "tags": ("{{ a }}" * 30_000, {"a": 1}),
    "expressions": ("{% if " + " and ".join(["a"] * 30_000) + " %}{% endif %}", {"a": 1}),
    "long_template": ("x" * 300_000, {}),
    "open_comments": ("{#" * 120_000, {}),
    "open_raws": ("{% raw %}{% endraw" * 14_000, {}),
    "long_integer": ("{{ " + "1" * 100_000 + " }}", {}),
    "long_float": ("{{ " + "1" * 100_000 + ".5 }}", {}),
    "base": ("{{ a | int(base=4000000000) }}", A),
    "large_regex": ("{{ a is matching('([ab]{1,1000}){1,10}c') }}", A),
    "long_regex_search": ("{{ a is matching('([ab]{1,60}){1,10}c') }}", {"a": "ab" * 300_000}),
    "many_regexes": (LOOP.format("{{ a is matching('(\\w{1,50})c' ~ i) }}"), A),
    "invalid_regex": ("{{ a is matching('(a)\\1') }}", A),
    "sort": (LOOP.format("{% set x = a | sort %}"), {"a": list(range(50_000))}),
    "equality": (
        LOOP.format("{% if a == b %}{% endif %}"),
        {"a": list(range(40_000)), "b": list(range(40_000))},
    ),
    "membership": (LOOP.format("{% if 'x' in a %}{% endif %}"), {"a": list(range(90_000))}),
    "context_dump": (LOOP.format("{% set x = __tera_context %}"), {"a": [[1] * 300] * 300}),
    "json": (LOOP.format("{% set x = a | json_encode(pretty=true) %}"), {"a": [[1] * 300] * 300}),
    "paths": (LOOP.format("{% if o[k] %}{% endif %}"), {"o": {}, "k": "." * 5_000}),
    "dates": (LOOP.format("{{ i | date(format=f, timezone='Europe/Berlin') }}"), {"f": "%c" * 500}),
    "zone_file": ("{{ 0 | date(timezone='../../etc/passwd') }}", {}),
    "slugs": ("{{ a | slugify }}", {"a": "日本" * 500_000}),
    "split": ("{{ a | split(pat='') | length }}", {"a": "é" * 1_040_000}),
    "laughing_parameters": ("{{ a }}", {"a": doubled(100)}),
    "deep_parameters": ("{{ a }}", {"a": nested(1, 5_000)}),
    "large_parameters": ("{{ a }}", {"a": ["x" * MEGABYTE] * 5}),
}

HARMLESS = {
    "precision": ("{{ 1.5 | round(precision=2147483647) }}{{ 1 | round(precision=-2147483648) }}", {}),
    "digits": ("{{ a | int }}{{ a | float }}", {"a": "1" * 100_000}),
    "backtracking_regex": (
        "{{ a is matching('(a+)+$') }}{{ a is matching('^(a|aa)+b') }}",
        {"a": "a" * 60_000 + "!"},
    ),
    "open_tags": ("{{ a | striptags | length }}", {"a": "<!-- >" * 170_000}),
    "apostrophes": ("{{ a | title | length }}", {"a": "a" + "'" * 400_000}),
    "spaces": ("{{" + " " * 250_000 + "a }}", {"a": 1}),
}


def outcome_in_a_child(template: str, parameters: object) -> int:
    """Render in a process of its own, with less memory and time than would do harm."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return status
    try:
        signal.alarm(ALLOWED_SECONDS)
        with open("/proc/self/statm") as usage:
            used = int(usage.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ALLOWED_MEMORY,) * 2)
        try:
            compile_template(template).render(parameters)
        except (TemplateSyntaxError, TemplateRenderError) as error:
            os._exit(1 if error.message else 3)
        os._exit(0)
    except BaseException:  # noqa: BLE001  (whatever it is, the child must end here, not go on testing)
        traceback.print_exc()
        os._exit(4)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_ends_in_an_error(name):
    assert outcome_in_a_child(*HOSTILE[name]) == 1 << 8


@pytest.mark.parametrize("name", HARMLESS)
def test_a_template_that_only_looks_hostile_renders(name):
    assert outcome_in_a_child(*HARMLESS[name]) == 0


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
        "holds",
        "self",
        "context",
        "environment",
        "loop",
        "range",
        "namespace",
        "dict",
        "cycler",
        "lipsum",
    ],
)
def test_no_attribute_of_an_object_can_be_reached(path):
    compiled = compile_template("{{ " + path + " is defined }}")
    assert compiled.render({"a": "x", "o": {"k": 1}}) == "false"
