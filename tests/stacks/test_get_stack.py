"""GET /stacks/{id}."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_generator, make_stack, make_target
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_admin_and_owner_read_it(admin):
    generator, api = make_generator()
    stack = make_stack(generator, name="api")
    for reader in (admin, api):
        response = reader.get(f"/stacks/{stack.id}")
        assert response.status_code == 200
        assert response.json()["name"] == "api"
        assert response.json()["description"] is None
        assert response.json()["generator_id"] == str(generator.id)


def test_another_generator_and_any_agent_are_403(anonymous):
    stack = make_stack()
    agent, targeted = make_agent()
    make_target(agent, stack)
    for api in (make_generator()[1], targeted):
        refused(api.get(f"/stacks/{stack.id}"), 403, "stack_not_owned")
    refused(anonymous.get(f"/stacks/{stack.id}"), 401, "unauthorized")


def test_unknown_and_deleted_are_404_to_everybody(admin):
    stack = make_stack()
    delete_stack(stack=stack, actor=SYSTEM)
    for api in (admin, make_generator()[1], make_agent()[1]):
        refused(api.get(f"/stacks/{stack.id}"), 404, "stack_not_found")
        refused(api.get(f"/stacks/{uuid4()}"), 404, "stack_not_found")


def test_a_malformed_id_is_400(admin):
    refused(admin.get("/stacks/17"), 400, "invalid_path")


@pytest.mark.requires_postgres
def test_a_stack_is_read_with_the_key_by_one_statement(admin, django_assert_num_queries):
    stack = make_stack()
    admin.get(f"/stacks/{stack.id}")
    with django_assert_num_queries(1):
        assert admin.get(f"/stacks/{stack.id}").json()["id"] == str(stack.id)
