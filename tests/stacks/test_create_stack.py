"""POST /stacks."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from generators.models import Generator
from generators.services import delete_generator, system_generator
from stacks.models import Stack
from tests.factories import make_agent, make_generator, make_stack
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_an_admin_creates_a_stack_for_any_generator(admin):
    generator, _ = make_generator()
    response = admin.post(
        "/stacks", {"name": "api", "description": "the API", "generator_id": str(generator.id)}
    )
    assert response.status_code == 201
    body = response.json()
    assert is_wire_time(body.pop("created_at"))
    assert is_wire_time(body.pop("updated_at"))
    assert body == {
        "id": str(Stack.objects.get().id),
        "deleted_at": None,
        "name": "api",
        "description": "the API",
        "generator_id": str(generator.id),
    }


def test_a_generator_creates_its_own_and_need_not_name_itself():
    generator, api = make_generator()
    named = api.post("/stacks", {"name": "one", "generator_id": str(generator.id)})
    unnamed = api.post("/stacks", {"name": "two", "description": None})
    assert [named.status_code, unnamed.status_code] == [201, 201]
    assert named.json()["generator_id"] == unnamed.json()["generator_id"] == str(generator.id)


def test_a_generator_may_not_name_another():
    other, _ = make_generator()
    _, api = make_generator()
    for generator_id in (other.id, uuid4()):
        body = {"name": "x", "generator_id": str(generator_id)}
        refused(api.post("/stacks", body), 403, "stack_generator_mismatch")


def test_an_agent_may_not(anonymous):
    _, api = make_agent()
    refused(api.post("/stacks", {"name": "x", "generator_id": str(uuid4())}), 403, "stack_create_denied")
    refused(anonymous.post("/stacks", {"name": "x"}), 401, "unauthorized")


def test_an_admin_must_name_the_owner(admin):
    refused(admin.post("/stacks", {"name": "x"}), 422, "invalid_request_body")


def test_an_unknown_or_deleted_owner_is_422(admin):
    gone, _ = make_generator()
    delete_generator(generator=gone, actor=SYSTEM)
    for generator_id in (uuid4(), gone.id):
        response = admin.post("/stacks", {"name": "x", "generator_id": str(generator_id)})
        body = refused(response, 422, "foreign_key_violation")
        assert body["details"]["constraint"] == "stacks_generator_id_fkey"


def test_the_system_generator_owns_no_stacks(admin):
    body = {"name": "x", "generator_id": str(system_generator().id)}
    refused(admin.post("/stacks", body), 403, "system_generator_not_a_tenant")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": " \t"},
        {"name": "x" * 256},
        {"name": "x", "description": ""},
        {"name": "x", "description": "  "},
    ],
)
def test_blank_or_overlong_text_is_400(body):
    _, api = make_generator()
    refused(api.post("/stacks", body), 400, "invalid_stack")
    assert not Stack.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": 1},
        {"name": None},
        {"name": "x", "description": 1},
        {"name": "x", "generator_id": "17"},
        {"name": "x", "generator_id": None},
        ["x"],
    ],
)
def test_a_wrong_shape_is_422(body):
    _, api = make_generator()
    refused(api.post("/stacks", body), 422, "invalid_request_body")


def test_a_taken_name_is_409_across_generators():
    make_stack(name="api")
    _, api = make_generator()
    body = refused(api.post("/stacks", {"name": "api"}), 409, "unique_violation")
    assert body["details"]["constraint"] == "unique_stack_name"
    assert api.post("/stacks", {"name": "API"}).status_code == 201


def test_unknown_fields_are_ignored():
    _, api = make_generator()
    sent = {"name": "x", "id": str(uuid4()), "deleted_at": "2020-01-01T00:00:00Z", "labels": ["a"]}
    body = api.post("/stacks", sent).json()
    assert body["id"] != sent["id"]
    assert body["deleted_at"] is None


def test_it_is_audited_with_its_true_author_and_announced():
    generator, api = make_generator()
    with recorded_events() as events, recorded_audit() as rows:
        body = api.post("/stacks", {"name": "api", "description": "d"}).json()
    stack = Stack.objects.get()
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("stack.created", "stack", stack.id)
    ]
    assert rows[0].details == {"name": "api", "generator_id": str(generator.id)}
    assert (rows[0].actor_type, rows[0].actor_id) == ("generator", generator.id)
    assert notices(events) == [
        (
            "stack.created",
            {"stack_id": stack.id, "name": "api", "description": "d", "created_at": stack.created_at},
        )
    ]
    assert body["id"] == str(stack.id)


def test_a_generators_own_creation_shows_in_last_active_at_and_an_admins_does_not(admin):
    generator, api = make_generator()
    admin.post("/stacks", {"name": "one", "generator_id": str(generator.id)})
    assert Generator.objects.get(id=generator.id).last_active_at is None
    api.post("/stacks", {"name": "two"})
    assert Generator.objects.get(id=generator.id).last_active_at is not None
