"""GET /agents/{id}/stacks: the stacks an agent serves, by the rule of the target state."""

from uuid import uuid4

import pytest

from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_generator, make_stack, make_target
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_each_leg_of_the_association_counts_sorted_by_id(admin):
    agent, api = make_agent(labels=["a"], annotations={"k": "v"})
    stacks = [make_stack(labels=["a"]), make_stack(annotations={"k": "v"}), make_stack()]
    make_target(agent, stacks[2])
    make_stack(labels=["b"], annotations={"k": "w"})
    for reader in (api, admin):
        response = reader.get(f"/agents/{agent.id}/stacks")
        assert response.status_code == 200
        assert [row["id"] for row in response.json()] == sorted(str(stack.id) for stack in stacks)
    assert response.json()[0].keys() == admin.get("/stacks").json()[0].keys()


def test_a_stack_without_objects_is_served_and_a_deleted_one_is_not():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    assert len(api.get(f"/agents/{agent.id}/stacks").json()) == 1
    delete_stack(stack=stack, actor=SYSTEM)
    assert api.get(f"/agents/{agent.id}/stacks").json() == []


def test_unknown_and_deleted_agents_serve_nothing(admin):
    make_stack(labels=["a"])
    agent, _ = make_agent(labels=["a"])
    admin.delete(f"/agents/{agent.id}")
    for agent_id in (agent.id, uuid4()):
        response = admin.get(f"/agents/{agent_id}/stacks")
        assert (response.status_code, response.json()) == (200, [])


def test_others_are_403(anonymous):
    agent, _ = make_agent()
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.get(f"/agents/{agent.id}/stacks"), 403, "agent_pak_mismatch")
    refused(anonymous.get(f"/agents/{agent.id}/stacks"), 401, "unauthorized")


def test_an_associated_agent_reads_labels_and_annotations_but_not_the_stack():
    _, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"], annotations={"k": "v"})
    assert [row["label"] for row in api.get(f"/stacks/{stack.id}/labels").json()] == ["a"]
    assert [row["value"] for row in api.get(f"/stacks/{stack.id}/annotations").json()] == ["v"]
    refused(api.get(f"/stacks/{stack.id}"), 403, "stack_not_owned")
    _, other = make_agent()
    for path in ("labels", "annotations"):
        refused(other.get(f"/stacks/{stack.id}/{path}"), 403, "stack_not_accessible")


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(rows, django_assert_num_queries):
    agent, api = make_agent(labels=["a"])
    for _ in range(rows):
        make_stack(labels=["a"])
    path = f"/agents/{agent.id}/stacks"
    api.get(path)
    with django_assert_num_queries(2):
        assert len(api.get(path).json()) == rows
