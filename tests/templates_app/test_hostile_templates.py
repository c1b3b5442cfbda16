"""Templates and parameters that mean harm, through the API: they end, with a sentence, in bounded memory."""

import json
import resource

import pytest

from stacks.models import DeploymentObject
from tests.factories import make_generator, make_stack
from tests.support.api import refused

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a text costs to compile and to render")]

MEMORY_KILOBYTES = 200 * 1024

DOUBLING = "{% set s = 'x' %}" + "{% set s = s ~ s %}" * 40 + "{{ s }}"
RENDERED = {
    "loops in loops": "{% for a in range(end=99999) %}{% for b in range(end=99999) %}{% endfor %}{% endfor %}",
    "a long range": "{% for a in range(end=9223372036854775807) %}{{ a }}{% endfor %}",
    "a range of tiny steps": "{{ range(end=100000000, step_by=1) | length }}",
    "doubled strings": DOUBLING,
    "doubled arrays": "{% set a = [1] %}" + "{% set a = a | concat(with=a) %}" * 40 + "{{ a }}",
    "a macro that calls itself": "{% macro m() %}{{ self::m() }}{% endmacro %}{{ self::m() }}",
    "macros that fan out": "{% macro m(n) %}{% if n > 0 %}{{ self::m(n=n-1) }}{{ self::m(n=n-1) }}{% endif %}"
    "{% endmacro %}{{ self::m(n=39) }}",
    "a power of replacements": "{% set s = 'x' %}"
    + "{% set s = s | replace(from='x', to='xxxxxxxxxx') %}" * 12
    + "{{ s }}",
    "a wide indent": "{{ lines | indent(prefix=wide) }}",
    "long output": "{% for a in range(end=90000) %}{{ wide }}{% endfor %}",
    "a catastrophic pattern": "{{ as is matching('(a|aa)+$') and as is matching('(((a{0,100}){0,100}){0,100})b') }}",
    "the whole context again and again": "{% for a in range(end=90000) %}{{ __tera_context }}{% endfor %}",
    "a thrown error": "{{ throw(message='no') }}",
    "python's insides": "{{ name.__class__.__mro__ }}",
    "a method": "{{ name.upper }}",
    "jinja's insides": "{{ cycler.__init__.__globals__ }}",
    "the environment": "{{ get_env(name='PATH') }}",
}
COMPILED = {
    "deep parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "deep blocks": "{% if a %}" * 3000 + "{% endif %}" * 3000,
    "deep arrays": "{{ " + "[" * 5000 + "]" * 5000 + " }}",
    "a chain of negations": "{{ " + "not " * 5000 + "a }}",
    "too many tags": "{{ a }}" * 20_000,
    "a long sum": "{{ " + " + ".join(["1"] * 30_000) + " }}",
}
PARAMETERS = {"name": "x", "wide": "w" * 100_000, "lines": "\n" * 100_000, "as": "a" * 50_000}


@pytest.fixture
def measured():
    """Bounds the memory that this process comes to use during the test."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEMORY_KILOBYTES


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("name", RENDERED)
def test_what_would_not_end_or_reaches_for_more_fails_to_render(name):
    generator, api = make_generator()
    stack = make_stack(generator)
    template = {"name": "t", "template_content": RENDERED[name], "parameters_schema": "{}"}
    created = api.post("/templates", template)
    assert created.status_code == 201, created.content
    id_ = created.json()["id"]
    body = {"template_id": id_, "parameters": PARAMETERS}
    answer = refused(
        api.post(f"/stacks/{stack.id}/deployment-objects/from-template", body),
        400,
        "template_render_failed",
    )
    assert answer["message"].endswith(")")
    assert set(answer["details"]) == {"line", "column"}
    preview = api.post(f"/templates/{id_}/render", {"parameters": PARAMETERS})
    assert [problem["code"] for problem in preview.json()["errors"]] == ["template_render_failed"]
    assert not DeploymentObject.objects.exists()


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("name", COMPILED)
def test_what_would_take_long_to_compile_is_no_template(name):
    body = {"name": "t", "template_content": COMPILED[name], "parameters_schema": "{}"}
    _, api = make_generator()
    refused(api.post("/templates", body), 400, "invalid_template_syntax")


def _doubling_schema() -> str:
    """Thirty definitions, each of which asks twice for the one before it."""
    definitions: dict[str, object] = {"a0": {"type": "string"}}
    for number in range(1, 31):
        definitions[f"a{number}"] = {"allOf": [{"$ref": f"#/definitions/a{number - 1}"}] * 2}
    return json.dumps({"definitions": definitions, "$ref": "#/definitions/a30"})


SCHEMAS = {"references in a circle": '{"$ref": "#"}', "laughs": _doubling_schema()}


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_that_would_not_end_refuses_parameters(name):
    generator, api = make_generator()
    template = {"name": "t", "template_content": "a: 1", "parameters_schema": SCHEMAS[name]}
    created = api.post("/templates", template)
    assert created.status_code == 201, created.content
    body = {"template_id": created.json()["id"], "parameters": "x"}
    path = f"/stacks/{make_stack(generator).id}/deployment-objects/from-template"
    refused(api.post(path, body), 400, "invalid_parameters")


@pytest.mark.usefixtures("measured")
def test_a_huge_precision_costs_nothing():
    _, api = make_generator()
    content = "a: {{ 1.5 | round(precision=2000000000) }}{{ 1.5 | round(precision=300) }}"
    template = {"name": "t", "template_content": content, "parameters_schema": "{}"}
    id_ = api.post("/templates", template).json()["id"]
    answer = api.post(f"/templates/{id_}/render", {"parameters": {}}).json()
    assert answer == {"text": "a: 1.5", "errors": []}


@pytest.mark.usefixtures("measured")
def test_parameters_nested_too_deep_are_refused():
    generator, api = make_generator()
    template = {"name": "t", "template_content": "a: {{ __tera_context }}", "parameters_schema": "{}"}
    id_ = api.post("/templates", template).json()["id"]
    path = f"/stacks/{make_stack(generator).id}/deployment-objects/from-template"
    for depth in (100, 1000):
        raw = f'{{"template_id": "{id_}", "parameters": {{"a": {"[" * depth + "]" * depth}}}}}'.encode()
        refused(api.post(path, raw=raw), 400, "invalid_parameters")


@pytest.mark.usefixtures("measured")
def test_many_parameters_are_refused_or_rendered_within_the_budget():
    generator, api = make_generator()
    template = {"name": "t", "template_content": "a: {{ a | length }}", "parameters_schema": "{}"}
    id_ = api.post("/templates", template).json()["id"]
    path = f"/stacks/{make_stack(generator).id}/deployment-objects/from-template"
    body = {"template_id": id_, "parameters": {"a": [1] * 200_000}}
    refused(api.post(path, body), 400, "invalid_parameters")
    body = {"template_id": id_, "parameters": {"a": [1] * 20_000}}
    assert api.post(path, body).json()["yaml_content"] == "a: 20000"
