"""Templates and parameters that ask for too much, through the API: they end with a sentence."""

import json
import resource

import pytest

from stacks.models import DeploymentObject
from tera import limits
from tests.factories import make_generator, make_stack, manifest
from tests.support.api import refused

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what a text costs to compile and to render")]

MEMORY_KILOBYTES = 200 * 1024

LOOP = "{% for a in range(end=2000) %}{% endfor %}"
# Past a limit that is made small, or reaching for what is not there.
RENDERED = {
    "more turns than steps": ("MAX_STEPS", 1_000, LOOP),
    "a range of many numbers": ("MAX_RANGE_ITEMS", 100, LOOP),
    "doubled strings": (
        "MAX_STRING_CHARACTERS",
        100,
        "{% set s = 'x' %}" + "{% set s = s ~ s %}" * 8 + "{{ s }}",
    ),
    "doubled arrays": ("MAX_ALLOCATION", 1_000, "{% set a = [1] %}" + "{% set a = a | concat(with=a) %}" * 8),
    "nested macros": (
        "MAX_MACRO_DEPTH",
        3,
        "{% macro m(n) %}{% if n > 0 %}{{ self::m(n=n-1) }}{% endif %}{% endmacro %}{{ self::m(n=5) }}",
    ),
    "a wide indent": ("MAX_STRING_CHARACTERS", 1_000, "{{ lines | indent(prefix=wide) }}"),
    "long output": ("MAX_OUTPUT_CHARACTERS", 1_000, "{{ wide }}" * 11),
    "a thrown error": (None, 0, "{{ throw(message='no') }}"),
    "python's insides": (None, 0, "{{ name.__class__.__mro__ }}"),
    "a method": (None, 0, "{{ name.upper }}"),
    "the environment": (None, 0, "{{ get_env(name='PATH') }}"),
}
COMPILED = {
    "deep parentheses": ("MAX_EXPRESSION_DEPTH", "{{ ((((((1)))))) }}"),
    "deep blocks": ("MAX_BLOCK_DEPTH", "{% if a %}" * 6 + "{% endif %}" * 6),
    "too many tags": ("MAX_TAGS", "{{ a }}" * 6),
    "a long sum": ("MAX_EXPRESSIONS", "{{ 1 + 1 + 1 + 1 + 1 + 1 }}"),
}
PARAMETERS = {"name": "x", "wide": "w" * 100, "lines": "\n" * 20}


@pytest.fixture
def measured():
    """Bounds the memory that this process comes to use during the test."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEMORY_KILOBYTES


@pytest.mark.parametrize("name", RENDERED)
def test_what_takes_or_reaches_for_more_fails_to_render(name, monkeypatch):
    limit, value, content = RENDERED[name]
    if limit:
        monkeypatch.setattr(limits, limit, value)
    generator, api = make_generator()
    stack = make_stack(generator)
    template = {"name": "t", "template_content": content, "parameters_schema": "{}"}
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


@pytest.mark.parametrize("name", COMPILED)
def test_what_takes_long_to_compile_is_no_template(name, monkeypatch):
    limit, content = COMPILED[name]
    monkeypatch.setattr(limits, limit, 5)
    body = {"name": "t", "template_content": content, "parameters_schema": "{}"}
    _, api = make_generator()
    refused(api.post("/templates", body), 400, "invalid_template_syntax")


def _doubling_schema() -> str:
    """Nine definitions, each of which asks twice for the one before it."""
    definitions: dict[str, object] = {"a0": {"type": "string"}}
    for number in range(1, 10):
        definitions[f"a{number}"] = {"allOf": [{"$ref": f"#/definitions/a{number - 1}"}] * 2}
    return json.dumps({"definitions": definitions, "$ref": "#/definitions/a9"})


def test_a_schema_past_the_budget_refuses_parameters(monkeypatch):
    generator, api = make_generator()
    template = {"name": "t", "template_content": manifest(1), "parameters_schema": _doubling_schema()}
    created = api.post("/templates", template)
    assert created.status_code == 201, created.content
    body = {"template_id": created.json()["id"], "parameters": "x"}
    path = f"/stacks/{make_stack(generator).id}/deployment-objects/from-template"
    assert api.post(path, body).status_code == 201
    monkeypatch.setattr(limits, "MAX_STEPS", 1_000)
    refused(api.post(path, body), 400, "invalid_parameters")


@pytest.mark.usefixtures("measured")
def test_a_large_precision_costs_nothing():
    _, api = make_generator()
    content = manifest("{{ 1.5 | round(precision=300) }}")
    template = {"name": "t", "template_content": content, "parameters_schema": "{}"}
    id_ = api.post("/templates", template).json()["id"]
    answer = api.post(f"/templates/{id_}/render", {"parameters": {}}).json()
    assert answer == {"text": manifest("1.5"), "errors": []}


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
    template = {"name": "t", "template_content": manifest("{{ a | length }}"), "parameters_schema": "{}"}
    id_ = api.post("/templates", template).json()["id"]
    path = f"/stacks/{make_stack(generator).id}/deployment-objects/from-template"
    body = {"template_id": id_, "parameters": {"a": [1] * 200_000}}
    refused(api.post(path, body), 400, "invalid_parameters")
    body = {"template_id": id_, "parameters": {"a": [1] * 20_000}}
    assert api.post(path, body).json()["yaml_content"] == manifest(20000)
