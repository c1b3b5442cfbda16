"""PUT /stacks/{id}."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from generators.services import delete_generator, system_generator
from stacks.models import Stack
from stacks.services import delete_stack
from tests.factories import make_agent, make_generator, make_stack, make_target
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_a_partial_body_changes_only_what_it_names(admin):
    stack = make_stack(name="old")
    admin.put(f"/stacks/{stack.id}", {"description": "kept"})
    response = admin.put(f"/stacks/{stack.id}", {"name": "new"})
    assert response.status_code == 200
    assert (response.json()["name"], response.json()["description"]) == ("new", "kept")
    assert response.json()["updated_at"] > response.json()["created_at"]


def test_the_whole_object_may_be_sent_back_and_read_only_fields_stay():
    generator, api = make_generator()
    stack = make_stack(generator)
    whole = api.get(f"/stacks/{stack.id}").json()
    sent = whole | {
        "description": "new",
        "created_at": "2000-01-01T00:00:00Z",
        "updated_at": "2000-01-01T00:00:00Z",
        "deleted_at": "2000-01-01T00:00:00Z",
    }
    answer = api.put(f"/stacks/{stack.id}", sent).json()
    assert answer["updated_at"] > whole["updated_at"]
    assert answer | {"updated_at": ""} == whole | {"description": "new", "updated_at": ""}


def test_null_clears_the_description(admin):
    stack = make_stack()
    admin.put(f"/stacks/{stack.id}", {"description": "d"})
    assert admin.put(f"/stacks/{stack.id}", {"description": None}).json()["description"] is None


def test_an_empty_object_changes_nothing_but_the_time(admin):
    stack = make_stack(name="same")
    assert admin.put(f"/stacks/{stack.id}", {}).json()["name"] == "same"


def test_another_id_in_the_body_is_400(admin):
    stack = make_stack()
    refused(admin.put(f"/stacks/{stack.id}", {"id": str(uuid4())}), 400, "stack_id_mismatch")


def test_only_an_admin_moves_a_stack_to_another_generator(admin):
    generator, api = make_generator()
    other, other_api = make_generator()
    stack = make_stack(generator)
    body = {"generator_id": str(other.id)}
    refused(api.put(f"/stacks/{stack.id}", body), 403, "stack_generator_mismatch")
    assert admin.put(f"/stacks/{stack.id}", body).json()["generator_id"] == str(other.id)
    refused(api.get(f"/stacks/{stack.id}"), 403, "stack_not_owned")
    assert other_api.get(f"/stacks/{stack.id}").status_code == 200


def test_the_new_owner_must_be_a_live_tenant(admin):
    stack = make_stack()
    gone, _ = make_generator()
    delete_generator(generator=gone, actor=SYSTEM)
    for generator_id in (uuid4(), gone.id):
        body = {"generator_id": str(generator_id)}
        refused(admin.put(f"/stacks/{stack.id}", body), 422, "foreign_key_violation")
    body = {"generator_id": str(system_generator().id)}
    refused(admin.put(f"/stacks/{stack.id}", body), 403, "system_generator_not_a_tenant")


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x" * 256}, {"description": " "}])
def test_blank_or_overlong_text_is_400(admin, body):
    stack = make_stack(name="same")
    refused(admin.put(f"/stacks/{stack.id}", body), 400, "invalid_stack")
    assert Stack.objects.get(id=stack.id).name == "same"


@pytest.mark.parametrize("body", [{"name": None}, {"name": 1}, {"id": 1}, {"generator_id": None}, "x"])
def test_a_wrong_shape_is_422(admin, body):
    refused(admin.put(f"/stacks/{make_stack().id}", body), 422, "invalid_request_body")


def test_a_taken_name_is_409(admin):
    make_stack(name="taken")
    stack = make_stack()
    body = refused(admin.put(f"/stacks/{stack.id}", {"name": "taken"}), 409, "unique_violation")
    assert body["details"]["constraint"] == "unique_stack_name"


def test_others_are_403_and_unknown_or_deleted_404(admin):
    stack = make_stack()
    agent, targeted = make_agent()
    make_target(agent, stack)
    for api in (make_generator()[1], targeted):
        refused(api.put(f"/stacks/{stack.id}", {"name": "x"}), 403, "stack_not_owned")
    delete_stack(stack=stack, actor=SYSTEM)
    for api in (admin, targeted):
        refused(api.put(f"/stacks/{stack.id}", {"name": "x"}), 404, "stack_not_found")
        refused(api.put(f"/stacks/{uuid4()}", {"name": "x"}), 404, "stack_not_found")


def test_it_is_audited_with_its_true_author_and_the_world_is_not_told():
    generator, api = make_generator()
    stack = make_stack(generator)
    with recorded_events() as events, recorded_audit() as rows:
        api.put(f"/stacks/{stack.id}", {"name": "new"})
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("stack.updated", "stack", stack.id, {"name": "new"})
    ]
    assert (rows[0].actor_type, rows[0].actor_id) == ("generator", generator.id)
    assert notices(events) == []
