"""POST /generators."""

import hashlib

import pytest

from generators.models import Generator
from paks.models import Pak
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_the_answer_holds_the_generator_and_its_working_key(admin):
    response = admin.post("/generators", {"name": "ci", "description": "pipelines"})
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"generator", "pak"}
    generator = body["generator"]
    assert is_wire_time(generator.pop("created_at"))
    assert is_wire_time(generator.pop("updated_at"))
    row = Generator.objects.get(id=generator["id"])
    assert generator == {
        "id": str(row.id),
        "deleted_at": None,
        "name": "ci",
        "description": "pipelines",
        "last_active_at": None,
        "is_active": True,
        "is_system": False,
    }
    assert Api(body["pak"]).post("/auth/pak").json()["generator"] == str(row.id)


def test_the_key_has_the_agreed_form_and_only_its_hash_is_kept(admin):
    body = admin.post("/generators", {"name": "ci"}).json()
    prefix, short, secret = body["pak"].split("_")
    assert (prefix, short[:2], len(short)) == ("brokkr", "BR", 8)
    assert len(secret) in {31, 32, 33}
    pak = Pak.objects.get(subject_id=body["generator"]["id"])
    assert pak.key_hash == hashlib.sha256(secret.encode()).hexdigest()


@pytest.mark.parametrize("extra", [{}, {"description": None}, {"is_system": True, "pak_hash": "x", "zzz": 1}])
def test_the_description_is_optional_and_unknown_fields_are_ignored(admin, extra):
    generator = admin.post("/generators", {"name": "ci"} | extra).json()["generator"]
    assert generator["description"] is None
    assert generator["is_system"] is False


@pytest.mark.parametrize("name", ["", "   ", "\t", "x" * 256])
def test_a_blank_or_overlong_name_is_400(admin, name):
    refused(admin.post("/generators", {"name": name}), 400, "invalid_generator")
    assert not Generator.objects.exists()


def test_255_characters_of_any_script_are_a_name(admin):
    assert admin.post("/generators", {"name": "ü" * 255}).status_code == 201


@pytest.mark.parametrize("body", [{}, {"name": 5}, {"name": None}, {"name": "x", "description": 1}, [], "x"])
def test_a_wrong_shape_is_422(admin, body):
    refused(admin.post("/generators", body), 422, "invalid_request_body")


def test_a_taken_name_is_409(admin):
    make_generator("ci")
    body = refused(admin.post("/generators", {"name": "ci"}), 409, "unique_violation")
    assert body["details"]["constraint"] == "unique_generator_name"


def test_names_differ_by_case(admin):
    make_generator("ci")
    assert admin.post("/generators", {"name": "CI"}).status_code == 201


def test_the_name_of_the_system_generator_is_taken_even_before_it_exists(admin):
    refused(admin.post("/generators", {"name": "__system__"}), 409, "unique_violation")
    assert make_agent()[0].registrations.get().generator.is_system


def test_only_an_admin_may(anonymous):
    refused(anonymous.post("/generators", {"name": "ci"}), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.post("/generators", {"name": "ci"}), 403, "admin_required")


def test_it_is_audited_as_a_generator_and_a_key_and_the_world_is_not_told(admin):
    with recorded_events() as events, recorded_audit() as rows:
        body = admin.post("/generators", {"name": "ci"}).json()
    assert [(row.action, row.resource_type, str(row.resource_id)) for row in rows] == [
        ("generator.created", "generator", body["generator"]["id"]),
        ("pak.created", "pak", body["generator"]["id"]),
    ]
    assert rows[0].details == {"name": "ci"}
    assert rows[1].details is not None
    assert {"entity": "generator", "name": "ci"}.items() <= rows[1].details.items()
    assert all((row.actor_type, row.actor_id) == ("admin", None) for row in rows)
    assert notices(events) == []
