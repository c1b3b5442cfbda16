"""GET /deployment-objects/{id}/provenance."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from stacks.services import delete_stack
from templates_app.services import delete_template
from tests.factories import make_agent, make_generator, make_object, make_stack, make_target, make_template
from tests.support.api import refused
from tests.support.events import is_wire_time

pytestmark = pytest.mark.django_db

PARAMETERS = {"name": "x", "big": 2**64 - 1, "float": 1.0, "list": [None, True, "ü"]}


def instantiate(api, stack, template) -> str:
    body = {"template_id": str(template.id), "parameters": PARAMETERS}
    response = api.post(f"/stacks/{stack.id}/deployment-objects/from-template", body)
    assert response.status_code == 201, response.content
    return f"/deployment-objects/{response.json()['id']}/provenance"


def test_template_version_and_parameters(admin):
    make_template(name="web")
    template, stack = make_template(name="web"), make_stack()
    path = instantiate(admin, stack, template)
    response = admin.get(path)
    assert response.status_code == 200
    body = response.json()
    assert is_wire_time(body.pop("created_at"))
    assert body == {
        "deployment_object_id": path.split("/")[2],
        "template_id": str(template.id),
        "template_name": "web",
        "template_version": 2,
        "parameters": PARAMETERS,
    }
    assert b'"float":1.0' in response.content


def test_it_outlives_the_template(admin):
    template, stack = make_template(), make_stack()
    path = instantiate(admin, stack, template)
    before = admin.get(path).json()
    delete_template(template=template, actor=SYSTEM)
    assert admin.get(path).json() == before


def test_who_reads_the_object_may_ask(anonymous, admin):
    generator, owner = make_generator()
    stack = make_stack(generator, labels=["prod"])
    path = instantiate(owner, stack, make_template())
    agent, targeted = make_agent()
    make_target(agent, stack)
    for api in (admin, owner, targeted, make_agent(labels=["prod"])[1]):
        assert api.get(path).status_code == 200
    refused(anonymous.get(path), 401, "unauthorized")
    refused(make_generator()[1].get(path), 403, "generator_not_associated")
    refused(make_agent()[1].get(path), 403, "agent_not_associated")


def test_an_object_that_was_sent_as_it_is_has_none(admin):
    obj = make_object(make_stack())
    refused(admin.get(f"/deployment-objects/{obj.id}/provenance"), 404, "provenance_not_found")
    refused(make_agent()[1].get(f"/deployment-objects/{obj.id}/provenance"), 403, "agent_not_associated")


def test_an_unknown_or_deleted_object_is_404(admin):
    stack = make_stack()
    path = instantiate(admin, stack, make_template())
    delete_stack(stack=stack, actor=SYSTEM)
    refused(admin.get(path), 404, "deployment_object_not_found")
    refused(admin.get(f"/deployment-objects/{uuid4()}/provenance"), 404, "deployment_object_not_found")
    refused(admin.get("/deployment-objects/17/provenance"), 400, "invalid_path")


def test_the_tag_lets_a_client_keep_it(admin):
    path = instantiate(admin, make_stack(), make_template())
    tag = admin.get(path).headers["ETag"]
    assert admin.get(path, headers={"If-None-Match": tag}).status_code == 304
