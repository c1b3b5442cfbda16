"""GET /deployment-objects/{id}."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from stacks.models import DeploymentObject
from stacks.services import delete_stack
from tests.factories import (
    MANIFEST,
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.api import refused

pytestmark = pytest.mark.django_db

TEXT = f"# kept ü\r\n{MANIFEST}"


def test_admin_owner_and_targeted_agent_read_it(admin):
    generator, api = make_generator()
    stack = make_stack(generator)
    obj = make_object(stack, TEXT)
    agent, targeted = make_agent()
    make_target(agent, stack)
    for reader in (admin, api, targeted):
        response = reader.get(f"/deployment-objects/{obj.id}")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["sequence_id"] == obj.sequence_id
        assert response.json()["yaml_content"] == TEXT


@pytest.mark.parametrize("shared", [{"labels": ["a"]}, {"annotations": {"k": "v"}}])
def test_an_agent_that_shares_a_label_or_annotation_reads_it(shared):
    obj = make_object(make_stack(**shared))
    assert make_agent(**shared)[1].get(f"/deployment-objects/{obj.id}").status_code == 200


def test_where_registration_is_required_a_shared_label_alone_does_not_count(settings):
    settings.REQUIRE_REGISTRATION = True
    generator, _ = make_generator()
    obj = make_object(make_stack(generator, labels=["a"]))
    agent, api = make_agent(labels=["a"])
    refused(api.get(f"/deployment-objects/{obj.id}"), 403, "agent_not_associated")
    make_registration(agent, generator)
    assert api.get(f"/deployment-objects/{obj.id}").status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        "application/yaml",
        "text/yaml",
        "application/x-yaml",
        "application/json, application/yaml;q=0.1",
        "Application/YAML",
    ],
)
def test_accepting_yaml_answers_the_manifest_itself(admin, accept):
    obj = make_object(make_stack(), TEXT)
    response = admin.get(f"/deployment-objects/{obj.id}", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/yaml")
    assert response.content == TEXT.encode()


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "application/*", ""])
def test_any_other_accept_answers_json(admin, accept):
    obj = make_object(make_stack(), TEXT)
    response = admin.get(f"/deployment-objects/{obj.id}", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/json"


def test_the_two_forms_have_their_own_etags(admin):
    obj = make_object(make_stack(), TEXT)
    path = f"/deployment-objects/{obj.id}"
    yaml = {"Accept": "application/yaml"}
    tags = [admin.get(path).headers["ETag"], admin.get(path, headers=yaml).headers["ETag"]]
    assert tags[0] != tags[1]
    assert admin.get(path, headers=yaml | {"If-None-Match": tags[1]}).status_code == 304
    assert admin.get(path, headers=yaml | {"If-None-Match": tags[0]}).status_code == 200
    assert "Accept" in admin.get(path).headers["Vary"]


def test_refusals_are_json_also_when_yaml_is_accepted(admin):
    response = admin.get(f"/deployment-objects/{uuid4()}", headers={"Accept": "application/yaml"})
    refused(response, 404, "deployment_object_not_found")
    assert response.headers["Content-Type"] == "application/json"


def test_others_are_403(anonymous):
    obj = make_object(make_stack(labels=["a"]))
    path = f"/deployment-objects/{obj.id}"
    refused(make_agent(labels=["b"])[1].get(path), 403, "agent_not_associated")
    refused(make_generator()[1].get(path), 403, "generator_not_associated")
    refused(anonymous.get(path), 401, "unauthorized")


def test_unknown_and_deleted_objects_are_404_to_everybody(admin):
    generator, api = make_generator()
    stack = make_stack(generator)
    obj = make_object(stack)
    delete_stack(stack=stack, actor=SYSTEM)
    for reader in (admin, api, make_agent()[1]):
        for object_id in (obj.id, uuid4()):
            refused(reader.get(f"/deployment-objects/{object_id}"), 404, "deployment_object_not_found")


def test_the_marker_of_a_deleted_stack_is_for_the_admin_and_the_agents_that_await_it(admin):
    generator, api = make_generator()
    stack = make_stack(generator, labels=["a"])
    agent, reported = make_agent(labels=["a"])
    _, silent = make_agent(labels=["a"])
    make_event(agent, make_object(stack))
    delete_stack(stack=stack, actor=SYSTEM)
    marker = DeploymentObject.objects.active().get(stack=stack)
    path = f"/deployment-objects/{marker.id}"
    assert admin.get(path).json()["is_deletion_marker"] is True
    assert reported.get(path).status_code == 200
    assert reported.get(path, headers={"Accept": "application/yaml"}).content == b""
    refused(silent.get(path), 403, "agent_not_associated")
    refused(api.get(path), 404, "stack_not_found")
    refused(make_generator()[1].get(path), 403, "generator_not_associated")
    make_event(agent, marker)
    refused(reported.get(path), 403, "agent_not_associated")
