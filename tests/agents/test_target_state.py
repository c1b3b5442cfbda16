"""GET /agents/{id}/target-state: the endpoint. What is selected is in test_target_state_selection.py."""

from uuid import uuid4

import pytest

from tests.factories import (
    MANIFEST,
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_stack,
    make_target,
    manifest,
)
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def sequence(api, agent, query: str = "") -> list[int]:
    response = api.get(f"/agents/{agent.id}/target-state{query}")
    assert response.status_code == 200
    return [row["sequence_id"] for row in response.json()]


def test_agent_and_admin_read_whole_objects_newest_first(admin):
    agent, api = make_agent(labels=["a"])
    first = make_object(make_stack(labels=["a"]))
    explicit = make_stack()
    make_target(agent, explicit)
    second = make_object(explicit, manifest(2))
    for reader in (api, admin):
        response = reader.get(f"/agents/{agent.id}/target-state")
        assert response.status_code == 200
        assert [row["id"] for row in response.json()] == [str(second.id), str(first.id)]
    assert set(response.json()[0]) == {
        "id",
        "created_at",
        "updated_at",
        "deleted_at",
        "sequence_id",
        "stack_id",
        "yaml_content",
        "yaml_checksum",
        "submitted_at",
        "is_deletion_marker",
    }
    assert response.json()[1]["yaml_content"] == MANIFEST
    assert response.json() == [
        admin.get(f"/deployment-objects/{second.id}").json(),
        admin.get(f"/deployment-objects/{first.id}").json(),
    ]


def test_full_is_the_default_and_incremental_leaves_out_what_was_reported():
    agent, api = make_agent(labels=["a"])
    old, new = make_object(make_stack(labels=["a"])), make_object(make_stack(labels=["a"]))
    make_event(agent, old, "FAILURE", "no such namespace")
    assert sequence(api, agent) == [new.sequence_id, old.sequence_id]
    assert sequence(api, agent, "?mode=full") == [new.sequence_id, old.sequence_id]
    assert sequence(api, agent, "?mode=incremental") == [new.sequence_id]


def test_the_default_can_be_set_to_incremental(settings):
    settings.TARGET_STATE_DEFAULT = "incremental"
    agent, api = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))
    make_event(agent, obj)
    assert sequence(api, agent) == []
    assert sequence(api, agent, "?mode=full") == [obj.sequence_id]


@pytest.mark.parametrize("mode", ["", "FULL", "everything", "full,incremental"])
def test_any_other_mode_is_400_and_no_empty_list(mode):
    agent, api = make_agent()
    refused(api.get(f"/agents/{agent.id}/target-state?mode={mode}"), 400, "invalid_query")


def test_an_inactive_agent_gets_its_state_too():
    agent, api = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))
    assert agent.status == "INACTIVE"
    assert sequence(api, agent) == [obj.sequence_id]


def test_an_unknown_agent_has_an_empty_state_for_an_admin(admin):
    response = admin.get(f"/agents/{uuid4()}/target-state")
    assert (response.status_code, response.json()) == (200, [])


def test_others_are_403(anonymous):
    agent, _ = make_agent()
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.get(f"/agents/{agent.id}/target-state"), 403, "agent_pak_mismatch")
    refused(anonymous.get(f"/agents/{agent.id}/target-state"), 401, "unauthorized")


@pytest.mark.parametrize("stacks", [0, 1, 12])
@pytest.mark.parametrize("mode", ["full", "incremental"])
@pytest.mark.parametrize("required", [True, False])
def test_it_is_one_statement_with_the_key_in_it(stacks, mode, required, settings, django_assert_num_queries):
    settings.REQUIRE_REGISTRATION = required
    agent, api = make_agent(labels=["a"])
    for _ in range(stacks):
        stack = make_stack(labels=["a"])
        make_object(stack)
        settings.REQUIRE_REGISTRATION = False
        make_target(agent, stack)
        settings.REQUIRE_REGISTRATION = required
    sequence(api, agent)
    with django_assert_num_queries(1):
        assert len(sequence(api, agent, f"?mode={mode}")) == stacks
