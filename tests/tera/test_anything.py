"""Generated templates and parameters: whatever they are, only the two errors come out."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from tera import TemplateRenderError, TemplateSyntaxError, compile_template
from tera.filters import FILTERS
from tera.testers import TESTERS
from tests.tera.test_corpus import CASES

MODEST = settings(max_examples=300)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["a", "b", "c", "loop", "x"])
parameters = st.dictionaries(names, values, max_size=5)
literals = st.sampled_from(
    [
        "a",
        "b.c",
        "a[0]",
        "a[b]",
        'c["k"]',
        "x",
        "1",
        "-2.5",
        '"s"',
        "'%Y'",
        "true",
        "[1, a]",
        "loop.index",
        "range(end=3)",
    ]
)
arguments = st.dictionaries(
    st.sampled_from(
        [
            "value",
            "pat",
            "from",
            "to",
            "sep",
            "attribute",
            "n",
            "start",
            "end",
            "length",
            "format",
            "timezone",
            "precision",
            "base",
            "with",
            "key",
            "default",
            "prefix",
            "pretty",
        ]
    ),
    literals,
    max_size=3,
).map(lambda given: "(" + ", ".join(f"{name}={value}" for name, value in given.items()) + ")")
filters = st.builds(
    lambda name, given: f" | {name}{given}", st.sampled_from([*FILTERS, "default", "safe"]), arguments
)
expressions = st.recursive(
    literals,
    lambda inner: (
        st.builds(str.__add__, inner, filters)
        | st.builds(
            "{} {} {}".format,
            inner,
            st.sampled_from(["+", "-", "*", "/", "%", "==", "<", "and", "or", "~", "in"]),
            inner,
        )
        | inner.map("not {}".format)
        | inner.map("({})".format)
        | st.builds("{} is {}({})".format, names, st.sampled_from([*TESTERS]), literals)
    ),
    max_leaves=6,
)
trims = st.sampled_from(["", "-"])
bodies = st.recursive(
    st.text(max_size=5) | st.builds("{{{{{} {} {}}}}}".format, trims, expressions, trims),
    lambda inner: (
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, expressions, inner, inner)
        | st.builds("{{% for x in {} -%}}{}{{% endfor %}}".format, literals, inner)
        | st.builds("{{% for k, x in {} %}}{}{{% else %}}{}{{%- endfor %}}".format, literals, inner, inner)
        | st.builds("{{% set {} = {} %}}{}".format, names, expressions, inner)
        | st.builds("{{% filter {} %}}{}{{% endfilter %}}".format, st.sampled_from([*FILTERS]), inner)
        | st.builds(str.__add__, inner, inner)
    ),
    max_leaves=8,
)


def render_if_possible(template: str, given_parameters: object) -> None:
    # Everything but the two errors fails the test that asks.
    with suppress(TemplateSyntaxError, TemplateRenderError):
        compile_template(template).render(given_parameters).encode()


@MODEST
@given(bodies, parameters)
def test_templates_of_the_grammar_render_or_fail_cleanly(template, given_parameters):
    render_if_possible(template, given_parameters)


@MODEST
@given(st.sampled_from(CASES), st.sampled_from(CASES), st.integers(0, 200), st.integers(0, 200))
def test_spliced_templates_render_or_fail_cleanly(case, other, position, other_position):
    template = case["template"][:position] + other["template"][other_position:]
    render_if_possible(template, case["context"])


@MODEST
@given(st.text(alphabet="{}%#-|~()[]'\"ab.1 =,\n", max_size=40), values)
def test_any_text_compiles_or_fails_cleanly(template, given_parameters):
    render_if_possible("{{" + template, given_parameters)
    render_if_possible("{%" + template, given_parameters)


@MODEST
@given(values)
def test_json_encode_writes_json_that_reads_back(value):
    try:
        text = compile_template("{{ v | json_encode }}").render({"v": value})
    except TemplateRenderError:
        return
    assert json.loads(text) == json.loads(json.dumps(value, default=str)) or "e" in text
