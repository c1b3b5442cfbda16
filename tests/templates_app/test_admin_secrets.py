"""Values that templates put into Secrets: hidden in the admin, and revealed by those who may."""

import json

import pytest

from templates_app.models import StackTemplate
from tests.factories import make_template
from tests.support.admin import actions_by, staff

pytestmark = pytest.mark.django_db

LIST = "templates_app/stacktemplate/"
SECRET = "kind: Secret\nstringData:\n  token: hunter2\n  name: {{ name }}\n"


def page(template: StackTemplate, name: str = "change") -> str:
    return f"{LIST}{template.pk}/{name}/"


def form_errors(response) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_values_of_secrets_are_shown_on_no_page(operator):
    template = make_template(name="web", content=SECRET)
    newer = make_template(name="web", content=SECRET.replace("hunter2", "hunter3"))
    for name in ("change", "preview", "versions", "new-version"):
        assert b"hunter" not in operator.get(page(newer, name)).content
    rendered = operator.post(page(template, "preview"), {"parameter:": '{"name": "x"}'})
    assert b"hunter" not in rendered.content
    assert b"hidden value changed" in operator.get(page(newer, "versions")).content


HIDDEN_SCHEMA = """\
{
  "properties": {
    "token": {"type": "string", "default": "hunter2"},
    "name": {"type": "string", "default": "shown", "examples": ["also shown"]}
  }
}
"""
GIVEN_SECRET = "kind: Secret\nmetadata: {name: '{{ name }}'}\nstringData:\n  token: {{ token }}\n"


def test_defaults_of_what_gets_into_a_secret_are_shown_on_no_page(operator):
    make_template(name="web", content=GIVEN_SECRET, schema=HIDDEN_SCHEMA.replace("hunter2", "hunter3"))
    template = make_template(name="web", content=GIVEN_SECRET, schema=HIDDEN_SCHEMA)
    for name in ("change", "preview", "versions", "new-version"):
        content = operator.get(page(template, name)).content
        assert b"hunter" not in content
        assert b"also shown" in content or name == "preview"
    assert b"hidden value changed" in operator.get(page(template, "versions")).content
    assert b"hunter2" in operator.post(page(template, "reveal"), {"confirmed": "yes"}).content
    tried = operator.post(page(template, "preview"), {"_preview": "parts", "parameter:/name": "x"}).json()
    assert "hunter" not in str(tried)
    assert "********" not in tried["parameters"]


def test_a_masked_default_stays_in_the_next_version_and_goes_nowhere_else(operator):
    template = make_template(name="web", content=GIVEN_SECRET, schema=HIDDEN_SCHEMA)
    masked = HIDDEN_SCHEMA.replace("hunter2", "********")
    sent = {"_save": "yes", "template_content": GIVEN_SECRET + "  b: c\n", "parameters_schema": masked}
    operator.post(page(template, "new-version"), sent)
    assert StackTemplate.objects.get(version=2).parameters_schema == HIDDEN_SCHEMA
    for field, text in (
        ("template_content", GIVEN_SECRET.replace("Secret", "ConfigMap")),
        ("parameters_schema", masked.replace('"token"', '"other"')),
    ):
        refused = operator.post(page(template, "new-version"), {**sent, field: text})
        assert form_errors(refused).keys() == {"parameters_schema"}
        assert b"hunter" not in refused.content
    assert StackTemplate.objects.count() == 2


def test_showing_hidden_values_is_asked_for_and_audited(operator):
    template = make_template(content=SECRET)
    assert b"hunter2" not in operator.get(page(template, "reveal")).content
    assert actions_by(operator.user) == []
    assert b"hunter2" in operator.post(page(template, "reveal"), {"confirmed": "yes"}).content
    assert actions_by(operator.user) == ["template.revealed"]


def test_only_who_may_reveal_sees_hidden_values():
    template = make_template(content=SECRET)
    reader = staff("templates_app.view_stacktemplate", "templates_app.change_stacktemplate")
    assert reader.post(page(template, "reveal"), {"confirmed": "yes"}).status_code == 403
    assert actions_by(reader.user) == []


SPLIT = """\
apiVersion: v1
kind: Secret
metadata:
  name: {{ name }}
stringData:
  password: hunter2
  pin: |
    4711{{ pin }}
  user: {{ user }}
"""


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x\n---\nkind: ConfigMap", "pin": "", "user": "x"},
        {"name": "x\nkind: [", "pin": "", "user": "x"},
        {"name": "x", "user": "x"},
    ],
    ids=["another document", "no YAML", "an error on a hidden line"],
)
def test_no_parameter_brings_a_hidden_value_of_a_template_into_its_preview(given):
    template = make_template(content=SPLIT)
    viewer = staff("templates_app.view_stacktemplate")
    sent = {"_preview": "parts", "parameter:": json.dumps(given)}
    answers = [
        viewer.post(page(template, "preview"), sent).json()["result"],
        viewer.post(page(template, "preview"), {"parameter:": json.dumps(given)}).content.decode(),
    ]
    for answer in answers:
        assert "hunter2" not in answer
        assert "4711" not in answer


def test_each_comparison_of_long_templates_has_pages_of_its_own(operator):
    make_template(name="web", content="# first\n")
    template = make_template(name="web", content="".join(f"# line {number}\n" for number in range(9_000)))
    first = operator.get(page(template, "versions")).content.decode()
    assert 'href="?from=1&amp;to=2&amp;template=2#template"' in first
    second = operator.get(page(template, "versions"), **{"from": "1", "to": "2", "template": "3"})
    assert "Page 3 of 3" in second.content.decode()
    assert "# line 8999" in second.content.decode()
    assert "# line 8999" not in first
