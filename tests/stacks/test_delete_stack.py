"""DELETE /stacks/{id}. Who receives the marker is in tests/stacks/test_cascades.py."""

import hashlib
from uuid import uuid4

import pytest

from stacks.models import DeploymentObject, Stack
from tests.factories import make_agent, make_generator, make_object, make_stack, make_target, manifest
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_admin_and_owner_delete_and_the_stack_is_gone(admin):
    generator, api = make_generator()
    for deleter in (admin, api):
        stack = make_stack(generator, name="same name each time")
        response = deleter.delete(f"/stacks/{stack.id}")
        assert (response.status_code, response.content) == (204, b"")
        refused(admin.get(f"/stacks/{stack.id}"), 404, "stack_not_found")


def test_its_objects_go_at_the_same_instant_and_one_empty_marker_stays(admin):
    stack = make_stack()
    old = [make_object(stack), make_object(stack, manifest(2))]
    admin.delete(f"/stacks/{stack.id}")
    row = Stack.objects.get(id=stack.id)
    assert row.deleted_at is not None
    deleted = DeploymentObject.objects.filter(id__in=[obj.id for obj in old])
    assert {obj.deleted_at for obj in deleted} == {row.deleted_at}
    marker = DeploymentObject.objects.active().get(stack=row)
    assert marker.is_deletion_marker
    assert marker.yaml_content == ""
    assert marker.yaml_checksum == hashlib.sha256(b"").hexdigest()
    assert marker.submitted_at == row.deleted_at
    assert marker.sequence_id > max(obj.sequence_id for obj in old)


def test_a_stack_without_objects_leaves_a_marker_too(admin):
    stack = make_stack()
    admin.delete(f"/stacks/{stack.id}")
    assert DeploymentObject.objects.active().get(stack_id=stack.id).is_deletion_marker


def test_the_name_is_free_at_once(admin):
    generator, api = make_generator()
    stack = make_stack(generator, name="api")
    admin.delete(f"/stacks/{stack.id}")
    assert api.post("/stacks", {"name": "api"}).status_code == 201


def test_a_second_delete_and_an_unknown_id_are_404(admin):
    stack = make_stack()
    admin.delete(f"/stacks/{stack.id}")
    refused(admin.delete(f"/stacks/{stack.id}"), 404, "stack_not_found")
    refused(admin.delete(f"/stacks/{uuid4()}"), 404, "stack_not_found")
    assert DeploymentObject.objects.filter(stack_id=stack.id).count() == 1


def test_others_are_403(anonymous):
    stack = make_stack()
    agent, targeted = make_agent()
    make_target(agent, stack)
    for api in (make_generator()[1], targeted):
        refused(api.delete(f"/stacks/{stack.id}"), 403, "stack_not_owned")
    refused(anonymous.delete(f"/stacks/{stack.id}"), 401, "unauthorized")
    assert Stack.objects.active().filter(id=stack.id).exists()


def test_labels_and_annotations_stay_in_the_database_and_the_stack_is_unreachable(admin):
    stack = make_stack(labels=["a"], annotations={"k": "v"})
    admin.delete(f"/stacks/{stack.id}")
    assert (stack.labels.count(), stack.annotations.count()) == (1, 1)
    for path in ("labels", "annotations", "deployment-objects"):
        refused(admin.get(f"/stacks/{stack.id}/{path}"), 404, "stack_not_found")


def test_it_is_one_audit_row_and_one_notice_whatever_it_held(admin):
    generator, api = make_generator()
    stack = make_stack(generator)
    make_object(stack)
    make_target(make_agent()[0], stack)
    with recorded_events() as events, recorded_audit() as rows:
        api.delete(f"/stacks/{stack.id}")
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("stack.deleted", "stack", stack.id, None)
    ]
    assert (rows[0].actor_type, rows[0].actor_id) == ("generator", generator.id)
    deleted_at = Stack.objects.get(id=stack.id).deleted_at
    assert notices(events) == [("stack.deleted", {"stack_id": stack.id, "deleted_at": deleted_at})]
