"""Defaults and examples of what gets into a Secret, on the pages of templates."""

import pytest

from templates_app.models import StackTemplate
from tests.factories import make_template

pytestmark = pytest.mark.django_db

HIDDEN_SCHEMA = """\
{
  "properties": {
    "token": {"type": "string", "default": "hunter2"},
    "name": {"type": "string", "default": "shown", "examples": ["also shown"]}
  }
}
"""
GIVEN_SECRET = "kind: Secret\nmetadata: {name: '{{ name }}'}\nstringData:\n  token: {{ token }}\n"


def _page(template: StackTemplate, name: str) -> str:
    return f"templates_app/stacktemplate/{template.pk}/{name}/"


def test_defaults_of_what_gets_into_a_secret_are_shown_on_no_page(operator):
    make_template(name="web", content=GIVEN_SECRET, schema=HIDDEN_SCHEMA.replace("hunter2", "hunter3"))
    template = make_template(name="web", content=GIVEN_SECRET, schema=HIDDEN_SCHEMA)
    for name in ("change", "preview", "versions", "new-version"):
        content = operator.get(_page(template, name)).content
        assert b"hunter" not in content
        assert b"also shown" in content or name == "preview"
    assert b"hidden value changed" in operator.get(_page(template, "versions")).content
    assert b"hunter2" in operator.post(_page(template, "reveal"), {"confirmed": "yes"}).content
    tried = operator.post(_page(template, "preview"), {"_preview": "parts", "parameter:/name": "x"}).json()
    assert "hunter" not in str(tried)
    assert "********" not in tried["parameters"]


def test_a_masked_default_stays_in_the_next_version_and_goes_nowhere_else(operator):
    template = make_template(name="web", content=GIVEN_SECRET, schema=HIDDEN_SCHEMA)
    masked = HIDDEN_SCHEMA.replace("hunter2", "********")
    sent = {"_save": "yes", "template_content": GIVEN_SECRET + "  b: c\n", "parameters_schema": masked}
    operator.post(_page(template, "new-version"), sent)
    assert StackTemplate.objects.get(version=2).parameters_schema == HIDDEN_SCHEMA
    for field, text in (
        ("template_content", GIVEN_SECRET.replace("Secret", "ConfigMap")),
        ("parameters_schema", masked.replace('"token"', '"other"')),
    ):
        refused = operator.post(_page(template, "new-version"), {**sent, field: text})
        assert refused.context["form"].errors.keys() == {"parameters_schema"}
        assert b"hunter" not in refused.content
    assert StackTemplate.objects.count() == 2
