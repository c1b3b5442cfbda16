"""POST and DELETE /generators/{id}/register and the two lists of registrations."""

from uuid import uuid4

import pytest

from agents.models import AgentTarget, Registration
from agents.services.agents import delete_agent
from core.events import SYSTEM
from generators.services import delete_generator, system_generator
from tests.factories import (
    make_agent,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["registration optional", "registration required"])
def _both_settings(request, settings):
    settings.REQUIRE_REGISTRATION = request.param


@pytest.mark.usefixtures("_both_settings")
@pytest.mark.parametrize("body", [..., {}, {"agent_id": None}, {"agent_id": str(uuid4())}])
def test_an_agent_registers_itself_whatever_the_body_says(body):
    generator, _ = make_generator()
    agent, api = make_agent()
    response = api.post(f"/generators/{generator.id}/register", body)
    assert response.status_code == 201
    row = Registration.objects.get(agent=agent, generator=generator)
    answer = response.json()
    assert is_wire_time(answer.pop("registered_at"))
    assert answer == {"id": str(row.id), "agent_id": str(agent.id), "generator_id": str(generator.id)}


def test_an_admin_names_the_agent(admin):
    generator, _ = make_generator()
    agent, _ = make_agent()
    path = f"/generators/{generator.id}/register"
    for body in (..., {}, {"agent_id": None}):
        refused(admin.post(path, body), 400, "missing_agent_id")
        refused(admin.delete(path, body), 400, "missing_agent_id")
    assert admin.post(path, {"agent_id": str(agent.id)}).json()["agent_id"] == str(agent.id)
    refused(admin.post(path, {"agent_id": "17"}), 422, "invalid_request_body")


def test_a_second_time_is_409():
    generator, _ = make_generator()
    agent, api = make_agent()
    make_registration(agent, generator)
    refused(api.post(f"/generators/{generator.id}/register"), 409, "already_registered")


def test_the_system_generator_is_a_generator_here():
    _, api = make_agent()
    path = f"/generators/{system_generator().id}/register"
    refused(api.post(path), 409, "already_registered")
    assert api.delete(path).status_code == 204
    assert api.post(path).status_code == 201


def test_generators_register_nobody(anonymous):
    generator, api = make_generator()
    agent, _ = make_agent()
    path = f"/generators/{generator.id}/register"
    for call in (api.post, api.delete):
        refused(call(path, {"agent_id": str(agent.id)}), 403, "forbidden")
        refused(call(f"/generators/{uuid4()}/register", {}), 403, "forbidden")
    for call in (anonymous.post, anonymous.delete):
        refused(call(path), 401, "unauthorized")


def test_unknown_and_deleted_generators_are_404(admin):
    gone, _ = make_generator()
    agent, api = make_agent()
    delete_generator(generator=gone, actor=SYSTEM)
    for generator_id in (gone.id, uuid4()):
        path = f"/generators/{generator_id}/register"
        body = {"agent_id": str(agent.id)}
        for caller in (admin, api):
            refused(caller.post(path, body), 404, "generator_not_found")
            refused(caller.delete(path, body), 404, "generator_not_found")


def test_unknown_and_deleted_agents_are_422(admin):
    generator, _ = make_generator()
    gone, _ = make_agent()
    delete_agent(agent=gone, actor=SYSTEM)
    for agent_id in (gone.id, uuid4()):
        response = admin.post(f"/generators/{generator.id}/register", {"agent_id": str(agent_id)})
        body = refused(response, 422, "foreign_key_violation")
        assert body["details"]["constraint"] == "agent_generator_registrations_agent_id_fkey"


@pytest.mark.usefixtures("_both_settings")
def test_withdrawing_also_removes_the_targets_on_that_generators_stacks(admin):
    generator, _ = make_generator()
    other, _ = make_generator()
    agent, api = make_agent()
    bystander, _ = make_agent()
    for owner in (generator, other):
        make_registration(agent, owner)
        make_registration(bystander, owner)
    kept = make_target(agent, make_stack(other))
    stack = make_stack(generator)
    make_target(agent, stack)
    theirs = make_target(bystander, stack)
    response = api.delete(f"/generators/{generator.id}/register")
    assert (response.status_code, response.content) == (204, b"")
    assert not Registration.objects.filter(agent=agent, generator=generator).exists()
    assert set(AgentTarget.objects.values_list("id", flat=True)) == {kept.id, theirs.id}
    assert Registration.objects.filter(agent=agent, generator=other).exists()
    assert admin.delete(f"/generators/{other.id}/register", {"agent_id": str(agent.id)}).status_code == 204


def test_withdrawing_what_is_not_there_is_204_and_no_change(admin):
    generator, _ = make_generator()
    agent, api = make_agent()
    with recorded_events() as events:
        assert api.delete(f"/generators/{generator.id}/register").status_code == 204
        for agent_id in (agent.id, uuid4()):
            response = admin.delete(f"/generators/{generator.id}/register", {"agent_id": str(agent_id)})
            assert response.status_code == 204
    assert events == []


def test_targets_that_go_without_a_registration_are_audited(admin):
    generator, _ = make_generator()
    agent, _ = make_agent()
    make_target(agent, make_stack(generator))
    with recorded_audit() as rows:
        admin.delete(f"/generators/{generator.id}/register", {"agent_id": str(agent.id)})
    assert [row.action for row in rows] == ["agent.deregistered"]


def test_where_it_is_required_registration_opens_and_closes_the_target_state(settings):
    settings.REQUIRE_REGISTRATION = True
    generator, _ = make_generator()
    agent, api = make_agent(labels=["a"])
    make_object(make_stack(generator, labels=["a"]))
    state = f"/agents/{agent.id}/target-state"
    assert len(api.get(state).json()) == 0
    api.post(f"/generators/{generator.id}/register")
    assert len(api.get(state).json()) == 1
    assert len(api.get(f"/agents/{agent.id}/stacks").json()) == 1
    api.delete(f"/generators/{generator.id}/register")
    assert [obj["is_deletion_marker"] for obj in api.get(state).json()] == [True]
    assert len(api.get(f"/agents/{agent.id}/stacks").json()) == 0


def test_where_it_is_not_required_it_does_not_matter():
    generator, _ = make_generator()
    agent, api = make_agent(labels=["a"])
    make_object(make_stack(generator, labels=["a"]))
    api.post(f"/generators/{generator.id}/register")
    api.delete(f"/generators/{generator.id}/register")
    assert len(api.get(f"/agents/{agent.id}/target-state").json()) == 1


def test_both_lists_hold_the_pair(admin):
    generator, generator_api = make_generator()
    agent, agent_api = make_agent()
    row = make_registration(agent, generator)
    make_registration(agent, make_generator()[0])
    for reader in (admin, generator_api):
        response = reader.get(f"/generators/{generator.id}/registered-agents")
        assert response.status_code == 200
        assert [item["id"] for item in response.json()] == [str(row.id)]
    for reader in (admin, agent_api):
        response = reader.get(f"/agents/{agent.id}/registrations")
        assert response.status_code == 200
        assert [item["generator_id"] for item in response.json()][:2] == [
            str(system_generator().id),
            str(generator.id),
        ]
        assert len(response.json()) == 3


def test_who_may_read_the_lists(admin, anonymous):
    generator, generator_api = make_generator()
    agent, agent_api = make_agent()
    make_registration(agent, generator)
    of_generator = f"/generators/{generator.id}/registered-agents"
    of_agent = f"/agents/{agent.id}/registrations"
    for api in (make_generator()[1], agent_api):
        refused(api.get(of_generator), 403, "not_authorized")
    for api in (make_agent()[1], generator_api):
        refused(api.get(of_agent), 403, "agent_pak_mismatch")
    for path in (of_generator, of_agent):
        refused(anonymous.get(path), 401, "unauthorized")
    refused(admin.get(f"/generators/{uuid4()}/registered-agents"), 404, "generator_not_found")
    refused(admin.get(f"/agents/{uuid4()}/registrations"), 404, "agent_not_found")
    assert admin.get(f"/generators/{system_generator().id}/registered-agents").status_code == 200


def test_a_deleted_agent_leaves_the_generators_list(admin):
    generator, _ = make_generator()
    agent, _ = make_agent()
    make_registration(agent, generator)
    delete_agent(agent=agent, actor=SYSTEM)
    assert admin.get(f"/generators/{generator.id}/registered-agents").json() == []


def test_both_changes_are_audited_with_their_true_author_and_the_world_is_not_told(admin):
    generator, _ = make_generator()
    agent, api = make_agent()
    path = f"/generators/{generator.id}/register"
    with recorded_events() as events, recorded_audit() as rows:
        api.post(path)
        admin.delete(path, {"agent_id": str(agent.id)})
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("agent.registered", "agent", agent.id, {"generator_id": str(generator.id)}),
        ("agent.deregistered", "agent", agent.id, {"generator_id": str(generator.id)}),
    ]
    assert [(row.actor_type, row.actor_id) for row in rows] == [("agent", agent.id), ("admin", None)]
    assert notices(events) == []


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_of_both_lists_is_fixed(rows, django_assert_num_queries):
    generator, generator_api = make_generator()
    agent, agent_api = make_agent()
    for _ in range(rows - 1):
        make_registration(make_agent()[0], generator)
        make_registration(agent, make_generator()[0])
    make_registration(agent, generator)
    for api, path, count in (
        (generator_api, f"/generators/{generator.id}/registered-agents", rows),
        (agent_api, f"/agents/{agent.id}/registrations", rows + 1),
    ):
        api.get(path)
        with django_assert_num_queries(3):
            assert len(api.get(path).json()) == count
