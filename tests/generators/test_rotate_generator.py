"""POST /generators/{id}/rotate-pak."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from generators.services import system_generator
from paks.models import Pak, Role
from paks.services import issue_pak
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_the_new_key_works_and_the_old_one_is_dead_at_once(admin):
    generator, old = make_generator()
    for rotate in (admin, None):
        response = (rotate or old).post(f"/generators/{generator.id}/rotate-pak")
        assert response.status_code == 201
        body = response.json()
        assert set(body) == {"generator", "pak"}
        assert body["generator"]["id"] == str(generator.id)
        refused(old.post("/auth/pak"), 401, "unauthorized")
        old = Api(body["pak"])
        assert old.post("/auth/pak").json()["generator"] == str(generator.id)


def test_every_key_of_the_generator_ends(admin):
    generator, first = make_generator()
    _, text = issue_pak(role=Role.GENERATOR, subject_id=generator.id, name="second", actor=SYSTEM)
    admin.post(f"/generators/{generator.id}/rotate-pak")
    refused(first.post("/auth/pak"), 401, "unauthorized")
    refused(Api(text).post("/auth/pak"), 401, "unauthorized")
    assert Pak.objects.usable().filter(subject_id=generator.id).count() == 1


def test_a_json_body_and_content_type_do_no_harm(admin):
    generator, _ = make_generator()
    assert admin.post(f"/generators/{generator.id}/rotate-pak", {}).status_code == 201


def test_others_are_403_and_unknown_or_deleted_404(admin, anonymous):
    generator, api = make_generator()
    path = f"/generators/{generator.id}/rotate-pak"
    refused(anonymous.post(path), 401, "unauthorized")
    for other in (make_generator()[1], make_agent()[1]):
        refused(other.post(path), 403, "generator_not_owned")
    assert api.post("/auth/pak").status_code == 200
    refused(admin.post(f"/generators/{uuid4()}/rotate-pak"), 404, "generator_not_found")
    admin.delete(f"/generators/{generator.id}")
    refused(admin.post(path), 404, "generator_not_found")


def test_the_system_generator_gets_no_key(admin):
    refused(
        admin.post(f"/generators/{system_generator().id}/rotate-pak"),
        403,
        "system_generator_not_a_tenant",
    )


def test_it_is_audited_without_the_key(admin):
    generator, api = make_generator("ci")
    with recorded_events() as events, recorded_audit() as rows:
        key = api.post(f"/generators/{generator.id}/rotate-pak").json()["pak"]
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("pak.rotated", "generator", generator.id)
    ]
    assert rows[0].details == {"generator_name": "ci"}
    assert (rows[0].actor_type, rows[0].actor_id) == ("generator", generator.id)
    assert key.split("_")[2] not in str(vars(rows[0]))
    assert notices(events) == []
