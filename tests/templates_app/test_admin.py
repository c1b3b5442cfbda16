"""Templates in the admin: versions that only read, and an editor that adds them."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.events import SYSTEM
from templates_app.models import StackTemplate
from templates_app.services import delete_template, lock_template
from tests.factories import make_generator, make_rendered, make_stack, make_template
from tests.support.admin import actions_by, messages_of, staff

pytestmark = pytest.mark.django_db

LIST = "templates_app/stacktemplate/"
SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}, "replicas": {"type": "integer"}},
    }
)
CONTENT = "kind: Namespace\nname: {{ name }}\n"
SECRET = "kind: Secret\nstringData:\n  token: hunter2\n  name: {{ name }}\n"


def page(template: StackTemplate, name: str = "change") -> str:
    return f"{LIST}{template.pk}/{name}/"


def listed(response) -> list[str]:
    return [str(row) for row in response.context["cl"].result_list]


def form_errors(response) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_the_list_shows_the_newest_version_of_each_name(operator):
    generator, _ = make_generator()
    for owner in (generator, generator, None, None):
        make_template(owner, name="web")
    assert listed(operator.get(LIST)) == ["web v2", "web v2"]
    assert len(listed(operator.get(LIST, version="all"))) == 4


def test_a_newer_version_that_is_deleted_hides_nothing(operator):
    make_template(name="web")
    newer = make_template(name="web")
    delete_template(template=lock_template(newer.pk), actor=SYSTEM)
    assert listed(operator.get(LIST)) == ["web v1"]


def test_the_list_filters_by_owner_and_generator_and_searches(operator):
    generator, _ = make_generator()
    make_template(generator, name="theirs", description="a cache")
    make_template(name="ours")
    assert listed(operator.get(LIST, owner="system")) == ["ours v1"]
    assert listed(operator.get(LIST, owner="generators")) == ["theirs v1"]
    assert listed(operator.get(LIST, generator__id__exact=str(generator.pk))) == ["theirs v1"]
    assert listed(operator.get(LIST, q="cache")) == ["theirs v1"]


def test_a_version_shows_its_texts_and_is_not_changed(operator):
    template = make_template(name="web", content=CONTENT, schema=SCHEMA)
    response = operator.get(page(template))
    text = response.content.decode()
    assert "{{ name }}" in text
    assert "&quot;pattern&quot;" in text
    operator.post_form(page(template), name="forged", template_content="forged")
    template.refresh_from_db()
    assert (template.name, template.template_content) == ("web", CONTENT)
    assert actions_by(operator.user) == []


def test_labels_and_annotations_of_a_version_change_in_place(operator):
    template = make_template(labels=["old"])
    operator.post_form(
        page(template),
        **{
            "labels-0-DELETE": "on",
            "labels-TOTAL_FORMS": "2",
            "labels-1-label": "new",
            "annotations-TOTAL_FORMS": "1",
            "annotations-0-key": "tier",
            "annotations-0-value": "web",
        },
    )
    assert [row.label for row in template.labels.all()] == ["new"]
    assert actions_by(operator.user) == [
        "template.label_removed",
        "template.label_added",
        "template.annotation_added",
    ]


def test_a_system_template_is_created(operator):
    response = operator.post(
        f"{LIST}add/",
        {"name": "web", "description": "", "template_content": CONTENT, "parameters_schema": SCHEMA},
    )
    template = StackTemplate.objects.get()
    assert messages_of(response) == ["Saved: web v1."]
    assert (template.name, template.generator, template.version, template.description) == (
        "web",
        None,
        1,
        None,
    )
    assert template.template_content == CONTENT
    assert actions_by(operator.user) == ["template.created"]


def test_a_generators_template_is_created(operator):
    generator, _ = make_generator()
    operator.post(
        f"{LIST}add/",
        {
            "name": "web",
            "generator": str(generator.pk),
            "template_content": CONTENT,
            "parameters_schema": "{}",
        },
    )
    assert StackTemplate.objects.get().generator == generator


def test_a_generator_that_is_not_there_is_an_error_at_its_field(operator):
    sent = {"name": "web", "generator": "nobody", "template_content": CONTENT, "parameters_schema": "{}"}
    assert form_errors(operator.post(f"{LIST}add/", sent))["generator"]
    assert not StackTemplate.objects.exists()


def test_a_new_version_begins_with_the_texts_of_the_one_before(operator):
    template = make_template(make_generator()[0], content=CONTENT, schema=SCHEMA, description="one")
    form = operator.get(page(template, "new-version")).context["form"]
    assert list(form.fields) == ["description", "template_content", "parameters_schema"]
    assert form.initial == {"description": "one", "template_content": CONTENT, "parameters_schema": SCHEMA}


def test_a_new_version_keeps_name_and_owner_and_the_line_ends_of_the_text(operator):
    template = make_template(make_generator()[0], name="web", content=CONTENT)
    sent = {"template_content": "a: 1\r\nb: 2\r\n", "parameters_schema": "{}", "name": "other"}
    operator.post(page(template, "new-version"), sent)
    newest = StackTemplate.objects.get(version=2)
    assert (newest.name, newest.generator) == ("web", template.generator)
    assert newest.template_content == "a: 1\nb: 2\n"
    assert actions_by(operator.user) == ["template.updated"]


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("template_content", "a: {{ b | nothing }}", "line 1, column"),
        ("template_content", 'kind: Secret\ndata:\n  a: "********"\n', "Line 3: the mask"),
        ("template_content", "  ", "needs a name"),
        ("parameters_schema", '{"type": "nothing"}', "not valid"),
        ("parameters_schema", "{", "not JSON"),
    ],
)
def test_what_is_refused_is_said_at_its_field_and_nothing_is_saved(operator, field, text, words):
    template = make_template()
    sent = {"template_content": CONTENT, "parameters_schema": "{}"} | {field: text}
    response = operator.post(page(template, "new-version"), sent)
    errors = form_errors(response)
    assert words in str(errors.get(field) or errors["__all__"])
    assert text in response.context["form"][field].value()
    assert StackTemplate.objects.count() == 1
    assert actions_by(operator.user) == []


def test_a_deleted_version_has_no_successor(operator):
    template = make_template()
    delete_template(template=lock_template(template.pk), actor=SYSTEM)
    sent = {"template_content": CONTENT, "parameters_schema": "{}"}
    response = operator.post(page(template, "new-version"), sent)
    assert messages_of(response) == ["There is no such template."]
    assert StackTemplate.objects.count() == 1


def test_deleting_deletes_one_version(operator):
    first, second = make_template(name="web"), make_template(name="web")
    operator.post(f"{LIST}{first.pk}/delete/", {"post": "yes"})
    assert list(StackTemplate.objects.active()) == [second]
    assert actions_by(operator.user) == ["template.deleted"]


def test_the_preview_button_renders_and_saves_nothing(operator):
    template = make_template(content=CONTENT)
    response = operator.post(
        page(template, "new-version"),
        {
            "template_content": "kind: ConfigMap\nname: {{ name }}\n",
            "parameters_schema": SCHEMA,
            "parameter:/name": "shop",
            "_preview": "yes",
        },
    )
    text = response.content.decode()
    assert 'data-line="2"' in response.context["trial"].rendered
    assert "shop" in response.context["trial"].rendered
    assert "kind: ConfigMap" in text
    assert 'value="shop"' in text or ">\nshop</textarea>" in text
    assert StackTemplate.objects.count() == 1
    assert actions_by(operator.user) == []


def test_the_pages_script_gets_the_changed_parts(operator):
    template = make_template(content=CONTENT, schema=SCHEMA)
    given = {"_preview": "parts", "parameter:/name": "Shop", "parameter:/replicas": "many"}
    parts = operator.post(page(template, "preview"), given).json()
    assert "parameter:/replicas" in parts["parameters"]
    assert "/name: " in parts["result"]
    assert 'href="#parameter-1"' in parts["result"]
    assert "/replicas: &#x27;many&#x27; is not of type" in parts["result"] or "/replicas" in parts["result"]
    other = operator.post(
        page(template, "new-version"),
        {"_preview": "parts", "template_content": CONTENT, "parameters_schema": "{}"},
    ).json()
    assert other["schema"] != parts["schema"]


def test_a_template_error_names_its_line(operator):
    template = make_template(content="a: 1\nb: {{ missing }}\n")
    result = operator.post(page(template, "preview"), {"_preview": "parts", "parameter:": "{}"}).json()[
        "result"
    ]
    assert "(line 2, column 7)" in result
    assert 'data-line="2"' in result


def test_what_renders_and_is_no_manifest_marks_the_line(operator):
    template = make_template(content="a: 1\na: {{ name }}\n")
    sent = {"_preview": "parts", "parameter:": '{"name": "x"}'}
    result = operator.post(page(template, "preview"), sent).json()["result"]
    assert "cannot be published" in result
    assert 'brokkr-line-marked" data-line="2"' in result


def test_a_hostile_template_cannot_bring_html_into_the_preview(operator):
    template = make_template(content="a: '<script>alert(1)</script>{{ name }}'\n", schema=SCHEMA)
    sent = {"_preview": "parts", "parameter:/name": "<img src=x>"}
    parts = operator.post(page(template, "preview"), sent).json()
    assert "<script>" not in parts["result"]
    assert "<img" not in parts["result"] + parts["parameters"]


def test_any_two_versions_are_compared(operator):
    versions = [make_template(name="web", content=f"a: {number}\nb: same\n") for number in range(3)]
    response = operator.get(page(versions[2], "versions"), **{"from": "1", "to": "3"})
    text = response.content.decode()
    assert (response.context["old"], response.context["new"]) == (versions[0], versions[2])
    assert "a: <mark>0</mark>" in text
    assert "a: <mark>2</mark>" in text


def test_without_a_choice_a_version_is_compared_with_the_one_before(operator):
    versions = [make_template(name="web", content=f"a: {number}\n") for number in range(3)]
    context = operator.get(page(versions[1], "versions")).context
    assert (context["old"], context["new"]) == (versions[0], versions[1])
    assert operator.get(page(versions[0], "versions")).context["diffs"] == []


@pytest.mark.parametrize("choice", [{"from": "x", "to": "1"}, {"from": "9", "to": "99999999999999999999"}])
def test_a_choice_that_cannot_be_read_is_no_error(operator, choice):
    assert operator.get(page(make_template(), "versions"), **choice).status_code == 200


def test_a_viewer_previews_and_compares_and_adds_nothing():
    template = make_template(content=CONTENT)
    viewer = staff("templates_app.view_stacktemplate")
    for name in ("change", "preview", "versions"):
        assert viewer.get(page(template, name)).status_code == 200
    assert viewer.post(page(template, "preview"), {"parameter:": '{"name": "x"}'}).status_code == 200
    for path in (page(template, "new-version"), f"{LIST}add/"):
        assert viewer.get(path).status_code == 403
        assert viewer.post(path, {"template_content": "a", "parameters_schema": "{}"}).status_code == 403
    assert StackTemplate.objects.count() == 1
    assert actions_by(viewer.user) == []


def test_staff_without_permission_opens_none_of_the_pages():
    template = make_template()
    nobody = staff()
    for name in ("change", "preview", "versions", "new-version", "reveal"):
        assert nobody.get(page(template, name)).status_code == 403


def test_the_history_costs_the_same_queries_for_any_number_of_versions(operator):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(page(newest, "versions")).status_code == 200
        return len(captured)

    make_template(name="web")
    newest = make_template(name="web")
    two = cost()
    for _ in range(8):
        newest = make_template(name="web")
    make_rendered(make_stack(), newest, {"name": "x"})
    assert cost() == two
