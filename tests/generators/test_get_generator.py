"""GET /generators/{id}."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from generators.services import delete_generator, system_generator
from tests.factories import make_agent, make_generator
from tests.support.api import refused

pytestmark = pytest.mark.django_db

FIELDS = {
    "id",
    "created_at",
    "updated_at",
    "deleted_at",
    "name",
    "description",
    "last_active_at",
    "is_active",
    "is_system",
}


def test_admin_and_the_generator_itself_read_it(admin):
    generator, api = make_generator("ci", "pipelines")
    for reader in (admin, api):
        response = reader.get(f"/generators/{generator.id}")
        assert response.status_code == 200
        assert set(response.json()) == FIELDS
        assert response.json()["name"] == "ci"
        assert response.json()["description"] == "pipelines"


def test_an_admin_reads_the_system_generator(admin):
    response = admin.get(f"/generators/{system_generator().id}")
    assert (response.status_code, response.json()["is_system"]) == (200, True)


def test_others_are_refused_before_it_is_known_whether_it_exists(anonymous):
    generator, _ = make_generator()
    for path in (f"/generators/{generator.id}", f"/generators/{uuid4()}"):
        refused(anonymous.get(path), 401, "unauthorized")
        for api in (make_generator()[1], make_agent()[1]):
            refused(api.get(path), 403, "generator_not_owned")


def test_unknown_and_deleted_are_404_to_an_admin(admin):
    generator, _ = make_generator()
    delete_generator(generator=generator, actor=SYSTEM)
    refused(admin.get(f"/generators/{generator.id}"), 404, "generator_not_found")
    refused(admin.get(f"/generators/{uuid4()}"), 404, "generator_not_found")


def test_a_malformed_id_is_400(admin):
    refused(admin.get("/generators/17"), 400, "invalid_path")
