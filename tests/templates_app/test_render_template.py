"""POST /templates/{id}/render: a preview."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from stacks.models import DeploymentObject
from templates_app.models import RenderedObject, StackTemplate
from templates_app.services import delete_template
from tests.factories import TEMPLATE, make_agent, make_generator, make_template, manifest
from tests.support.api import refused
from tests.support.events import recorded_events

pytestmark = pytest.mark.django_db

NAME = '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}'


def render(api, template, parameters: object):
    response = api.post(f"/templates/{template.id}/render", {"parameters": parameters})
    assert response.status_code == 200, response.content
    return response.json()


def test_the_text_is_answered_byte_for_byte(admin):
    template = make_template(content=manifest("{{ name }} ü\r") + "  \n\n", schema=NAME)
    assert render(admin, template, {"name": "🚢"}) == {"text": manifest("🚢 ü\r") + "  \n\n", "errors": []}


def test_nothing_is_stored_and_nothing_happens(admin):
    template = make_template(schema=NAME)
    with recorded_events() as events:
        assert render(admin, template, {"name": "x"})["errors"] == []
    assert events == []
    assert StackTemplate.objects.count() == 1
    assert not DeploymentObject.objects.exists()
    assert not RenderedObject.objects.exists()


def test_all_problems_are_collected(admin):
    template = make_template(content="a: {{ name }}\nb: {{ absent }}", schema=NAME)
    body = render(admin, template, {"name": 17})
    assert body["text"] is None
    invalid, failed = body["errors"]
    assert (invalid["code"], failed["code"]) == ("invalid_parameters", "template_render_failed")
    assert "Invalid parameters" in invalid["message"]
    assert invalid["details"]["validation_errors"][0].startswith("/name: ")
    assert "absent" in failed["message"]
    assert failed["details"]["line"] == 2


def test_a_text_is_answered_although_the_parameters_do_not_fit_the_schema(admin):
    body = render(admin, make_template(schema=NAME), {"name": 17})
    assert body["text"] == TEMPLATE.replace("{{ name }}", "17")
    assert "invalid_parameters" in [problem["code"] for problem in body["errors"]]


@pytest.mark.parametrize("content", ["a: [{{ name }}", "{% if not name %}a: 1{% endif %}", "a: 1\na: 2"])
def test_a_text_that_is_no_manifest_is_answered_with_the_reason(admin, content):
    body = render(admin, make_template(content=content), {"name": "x"})
    assert body["text"] == content.replace("{{ name }}", "x").replace("{% if not name %}a: 1{% endif %}", "")
    (problem,) = body["errors"]
    assert problem["code"] == "invalid_deployment_object"


def test_a_problem_with_the_manifest_says_on_which_line(admin):
    body = render(admin, make_template(content="a: 1\na: 2"), {})
    assert body["errors"][0]["details"] == {"document": 1, "line": 2}


def test_who_reads_the_template_may_try_it(anonymous, admin):
    generator, owner = make_generator()
    own, systems = make_template(generator), make_template()
    stranger, agent = make_generator()[1], make_agent()[1]
    for template, readers in ((own, (admin, owner)), (systems, (admin, owner, stranger))):
        for api in readers:
            assert render(api, template, {"name": "x"})["text"]
        path = f"/templates/{template.id}/render"
        refused(agent.post(path, {"parameters": {}}), 403, "template_not_accessible")
        refused(anonymous.post(path, {"parameters": {}}), 401, "unauthorized")
    stranger_tries = stranger.post(f"/templates/{own.id}/render", {"parameters": {}})
    refused(stranger_tries, 403, "template_not_accessible")


def test_an_unknown_or_deleted_template_is_404(admin):
    template = make_template()
    delete_template(template=template, actor=SYSTEM)
    for id_ in (template.id, uuid4()):
        refused(admin.post(f"/templates/{id_}/render", {"parameters": {}}), 404, "template_not_found")


@pytest.mark.parametrize("body", [{}, {"params": {}}, [], "x", None])
def test_the_parameters_must_be_there(admin, body):
    path = f"/templates/{make_template().id}/render"
    refused(admin.post(path, body), 422, "invalid_request_body")


def test_old_versions_render_their_own_text(admin):
    old = make_template(name="web", content="v: 1")
    make_template(name="web", content="v: 2")
    assert render(admin, old, {})["text"] == "v: 1"
