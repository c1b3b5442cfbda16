"""PUT /generators/{id}."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from generators.models import Generator
from generators.services import delete_generator, system_generator
from tests.factories import make_agent, make_generator, manifest
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_a_partial_body_changes_only_what_it_names(admin):
    generator, _ = make_generator("ci", "pipelines")
    response = admin.put(f"/generators/{generator.id}", {"name": "cd"})
    assert response.status_code == 200
    assert (response.json()["name"], response.json()["description"]) == ("cd", "pipelines")
    assert response.json()["updated_at"] > response.json()["created_at"]


def test_the_whole_object_may_be_sent_back_and_read_only_fields_stay(admin):
    generator, _ = make_generator("ci")
    whole = admin.get(f"/generators/{generator.id}").json()
    sent = whole | {
        "description": "new",
        "created_at": "2000-01-01T00:00:00Z",
        "deleted_at": "2000-01-01T00:00:00Z",
        "last_active_at": "2000-01-01T00:00:00Z",
        "is_system": True,
        "pak_hash": "f" * 64,
    }
    answer = admin.put(f"/generators/{generator.id}", sent).json()
    assert answer["updated_at"] > whole["updated_at"]
    assert answer | {"updated_at": ""} == whole | {"description": "new", "updated_at": ""}


def test_null_clears_the_description(admin):
    generator, _ = make_generator("ci", "pipelines")
    assert admin.put(f"/generators/{generator.id}", {"description": None}).json()["description"] is None


def test_a_generator_changes_its_own_name_but_does_not_switch_itself(admin):
    generator, api = make_generator()
    assert api.put(f"/generators/{generator.id}", {"name": "cd", "is_active": True}).status_code == 200
    refused(api.put(f"/generators/{generator.id}", {"is_active": False}), 403, "admin_required")
    assert admin.put(f"/generators/{generator.id}", {"is_active": False}).json()["is_active"] is False
    refused(api.put(f"/generators/{generator.id}", {"is_active": True}), 403, "admin_required")


def test_an_inactive_generator_cannot_create_or_publish_but_reads(admin):
    generator, api = make_generator()
    stack = api.post("/stacks", {"name": "one"}).json()
    admin.put(f"/generators/{generator.id}", {"is_active": False})
    refused(api.post("/stacks", {"name": "two"}), 403, "generator_inactive")
    body = {"yaml_content": manifest(1)}
    refused(api.post(f"/stacks/{stack['id']}/deployment-objects", body), 403, "generator_inactive")
    assert api.get(f"/stacks/{stack['id']}").status_code == 200
    assert admin.post(f"/stacks/{stack['id']}/deployment-objects", body).status_code == 201
    admin.put(f"/generators/{generator.id}", {"is_active": True})
    assert api.post("/stacks", {"name": "two"}).status_code == 201


def test_another_id_in_the_body_is_400(admin):
    generator, _ = make_generator()
    refused(
        admin.put(f"/generators/{generator.id}", {"id": str(uuid4()), "name": "x"}),
        400,
        "generator_id_mismatch",
    )


@pytest.mark.parametrize("name", ["", " ", "x" * 256])
def test_a_blank_or_overlong_name_is_400(admin, name):
    generator, _ = make_generator("ci")
    refused(admin.put(f"/generators/{generator.id}", {"name": name}), 400, "invalid_generator")
    assert Generator.objects.get(id=generator.id).name == "ci"


@pytest.mark.parametrize("body", [{"name": None}, {"name": 1}, {"is_active": "yes"}, {"id": "x"}, []])
def test_a_wrong_shape_is_422(admin, body):
    generator, _ = make_generator()
    refused(admin.put(f"/generators/{generator.id}", body), 422, "invalid_request_body")


@pytest.mark.parametrize("name", ["taken", "__system__"])
def test_a_taken_name_is_409(admin, name):
    make_generator("taken")
    generator, _ = make_generator()
    body = refused(admin.put(f"/generators/{generator.id}", {"name": name}), 409, "unique_violation")
    assert body["details"]["constraint"] == "unique_generator_name"


def test_the_system_generator_cannot_be_changed(admin):
    refused(
        admin.put(f"/generators/{system_generator().id}", {"name": "mine"}),
        403,
        "system_generator_not_a_tenant",
    )


def test_others_are_403_and_unknown_or_deleted_404(admin):
    generator, _ = make_generator()
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.put(f"/generators/{generator.id}", {"name": "x"}), 403, "generator_not_owned")
    refused(admin.put(f"/generators/{uuid4()}", {"name": "x"}), 404, "generator_not_found")
    delete_generator(generator=generator, actor=SYSTEM)
    refused(admin.put(f"/generators/{generator.id}", {"name": "x"}), 404, "generator_not_found")


def test_it_is_audited_with_its_true_author_and_the_world_is_not_told(admin):
    generator, api = make_generator()
    with recorded_events() as events, recorded_audit() as rows:
        admin.put(f"/generators/{generator.id}", {"name": "one"})
        api.put(f"/generators/{generator.id}", {"name": "two"})
    assert [(row.action, row.resource_id, row.details) for row in rows] == [
        ("generator.updated", generator.id, {"name": "one"}),
        ("generator.updated", generator.id, {"name": "two"}),
    ]
    assert [(row.actor_type, row.actor_id) for row in rows] == [
        ("admin", None),
        ("generator", generator.id),
    ]
    assert notices(events) == []
