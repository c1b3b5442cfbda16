"""GET and POST /agents/{id}/targets, DELETE /agents/{id}/targets/{stack_id}."""

from uuid import uuid4

import pytest

from agents.models import AgentTarget
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import (
    make_agent,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_admin_and_owning_generator_give_a_stack_to_an_agent(admin):
    generator, api = make_generator()
    agent, agent_api = make_agent()
    for caller in (admin, api):
        stack = make_stack(generator)
        obj = make_object(stack)
        response = caller.post(f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)})
        assert response.status_code == 201
        row = AgentTarget.objects.get(stack=stack)
        assert response.json() == {"id": str(row.id), "agent_id": str(agent.id), "stack_id": str(stack.id)}
        assert agent_api.get(f"/agents/{agent.id}/target-state").json()[0]["id"] == str(obj.id)


def test_the_agent_may_be_named_in_the_body_and_must_be_the_one_in_the_path(admin):
    agent, _ = make_agent()
    stack = make_stack()
    path = f"/agents/{agent.id}/targets"
    other = {"agent_id": str(make_agent()[0].id), "stack_id": str(stack.id)}
    refused(admin.post(path, other), 400, "agent_id_mismatch")
    assert admin.post(path, other | {"agent_id": str(agent.id)}).status_code == 201


@pytest.mark.parametrize("body", [{}, {"stack_id": "17"}, {"stack_id": None}, []])
def test_a_wrong_shape_is_422(admin, body):
    refused(admin.post(f"/agents/{make_agent()[0].id}/targets", body), 422, "invalid_request_body")


def test_a_second_time_is_409(admin):
    agent, _ = make_agent()
    stack = make_stack()
    make_target(agent, stack)
    response = admin.post(f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)})
    assert refused(response, 409, "unique_violation")["details"]["constraint"] == "unique_agent_stack"


def test_unknown_and_deleted_stacks_are_404_to_everybody(admin):
    agent, api = make_agent()
    gone = make_stack()
    delete_stack(stack=gone, actor=SYSTEM)
    for caller in (admin, api, make_generator()[1]):
        for stack_id in (gone.id, uuid4()):
            body = {"stack_id": str(stack_id)}
            refused(caller.post(f"/agents/{agent.id}/targets", body), 404, "stack_not_found")
            refused(caller.delete(f"/agents/{agent.id}/targets/{stack_id}"), 404, "stack_not_found")


def test_an_unknown_agent_is_404(admin):
    body = {"stack_id": str(make_stack().id)}
    refused(admin.post(f"/agents/{uuid4()}/targets", body), 404, "agent_not_found")


def test_agents_do_not_choose_and_generators_give_only_their_own(anonymous):
    agent, api = make_agent()
    stack = make_stack()
    body = {"stack_id": str(stack.id)}
    path = f"/agents/{agent.id}/targets"
    refused(api.post(path, body), 403, "target_create_denied")
    refused(make_generator()[1].post(path, body), 403, "target_generator_mismatch")
    refused(anonymous.post(path, body), 401, "unauthorized")
    make_target(agent, stack)
    refused(api.delete(f"{path}/{stack.id}"), 403, "target_create_denied")
    refused(make_generator()[1].delete(f"{path}/{stack.id}"), 403, "target_generator_mismatch")
    refused(anonymous.delete(f"{path}/{stack.id}"), 401, "unauthorized")


def test_where_registration_is_required_not_even_an_admin_passes_by(admin, settings):
    settings.REQUIRE_REGISTRATION = True
    generator, api = make_generator()
    agent, _ = make_agent()
    stack = make_stack(generator)
    path, body = f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)}
    for caller in (admin, api):
        refused(caller.post(path, body), 403, "agent_not_registered")
        refused(caller.post(path, body | {"agent_id": str(uuid4())}), 403, "agent_not_registered")
    refused(make_generator()[1].post(path, body), 403, "target_generator_mismatch")
    make_registration(agent, generator)
    assert api.post(path, body).status_code == 201


def test_removing_takes_the_stack_away(admin):
    generator, api = make_generator()
    agent, agent_api = make_agent()
    stack = make_stack(generator)
    make_object(stack)
    for caller in (admin, api):
        make_target(agent, stack)
        response = caller.delete(f"/agents/{agent.id}/targets/{stack.id}")
        assert (response.status_code, response.content) == (204, b"")
        assert agent_api.get(f"/agents/{agent.id}/target-state").json() == []
        refused(caller.delete(f"/agents/{agent.id}/targets/{stack.id}"), 404, "agent_target_not_found")


def test_the_list_is_for_admin_and_agent(admin, anonymous):
    agent, api = make_agent()
    wanted = [make_target(agent, make_stack()) for _ in range(2)]
    make_target(make_agent()[0], make_stack())
    path = f"/agents/{agent.id}/targets"
    for reader in (admin, api):
        response = reader.get(path)
        assert response.status_code == 200
        assert [row["id"] for row in response.json()] == [str(row.id) for row in wanted]
    for other in (make_agent()[1], make_generator()[1]):
        refused(other.get(path), 403, "agent_pak_mismatch")
    refused(anonymous.get(path), 401, "unauthorized")
    assert admin.get(f"/agents/{uuid4()}/targets").json() == []


def test_both_changes_are_audited_with_their_true_author_and_the_world_is_not_told():
    generator, api = make_generator()
    agent, _ = make_agent()
    stack = make_stack(generator)
    with recorded_events() as events, recorded_audit() as rows:
        api.post(f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)})
        api.delete(f"/agents/{agent.id}/targets/{stack.id}")
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("agent.target_added", "agent", agent.id, {"stack_id": str(stack.id)}),
        ("agent.target_removed", "agent", agent.id, {"stack_id": str(stack.id)}),
    ]
    assert {(row.actor_type, row.actor_id) for row in rows} == {("generator", generator.id)}
    assert notices(events) == []


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(rows, django_assert_num_queries):
    agent, api = make_agent()
    for _ in range(rows):
        make_target(agent, make_stack())
    path = f"/agents/{agent.id}/targets"
    api.get(path)
    with django_assert_num_queries(2):
        assert len(api.get(path).json()) == rows
