"""DELETE /generators/{id}. What goes with a generator is in tests/stacks/test_cascades.py."""

from uuid import uuid4

import pytest

from generators.models import Generator
from generators.services import system_generator
from tests.factories import make_agent, make_generator
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_it_is_gone_at_once_and_its_key_is_dead(admin):
    generator, api = make_generator()
    response = admin.delete(f"/generators/{generator.id}")
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.get(f"/generators/{generator.id}"), 404, "generator_not_found")
    refused(api.post("/auth/pak"), 401, "unauthorized")


def test_a_generator_may_delete_itself():
    generator, api = make_generator()
    assert api.delete(f"/generators/{generator.id}").status_code == 204
    refused(api.delete(f"/generators/{generator.id}"), 401, "unauthorized")


def test_the_row_stays_with_the_time_of_its_end(admin):
    generator, _ = make_generator()
    admin.delete(f"/generators/{generator.id}")
    row = Generator.objects.get(id=generator.id)
    assert row.deleted_at is not None
    assert row.deleted_at == row.updated_at


def test_the_name_is_free_at_once(admin):
    generator, _ = make_generator("ci")
    admin.delete(f"/generators/{generator.id}")
    assert admin.post("/generators", {"name": "ci"}).status_code == 201


def test_a_second_delete_and_an_unknown_id_are_404(admin):
    generator, _ = make_generator()
    admin.delete(f"/generators/{generator.id}")
    refused(admin.delete(f"/generators/{generator.id}"), 404, "generator_not_found")
    refused(admin.delete(f"/generators/{uuid4()}"), 404, "generator_not_found")


def test_the_system_generator_cannot_be_deleted(admin):
    refused(admin.delete(f"/generators/{system_generator().id}"), 403, "cannot_delete_system_generator")
    assert Generator.objects.active().filter(is_system=True).exists()


def test_others_are_403(anonymous):
    generator, _ = make_generator()
    refused(anonymous.delete(f"/generators/{generator.id}"), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.delete(f"/generators/{generator.id}"), 403, "generator_not_owned")
    assert Generator.objects.active().filter(id=generator.id).exists()


def test_it_is_one_audit_row_without_details_and_the_world_is_not_told(admin):
    generator, _ = make_generator()
    with recorded_events() as events, recorded_audit() as rows:
        admin.delete(f"/generators/{generator.id}")
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("generator.deleted", "generator", generator.id, None)
    ]
    assert notices(events) == []
