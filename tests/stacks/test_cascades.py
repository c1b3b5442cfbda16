"""What goes with a stack and with a generator, and how agents learn of it."""

import hashlib

import pytest

from agents.models import AgentTarget, MarkerDelivery, Registration
from generators.models import Generator
from stacks.models import DeploymentObject, Stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
    manifest,
)
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db

EMPTY = hashlib.sha256(b"").hexdigest()


def state(agent, api, mode: str = "full") -> list[tuple[str, bool]]:
    rows = api.get(f"/agents/{agent.id}/target-state?mode={mode}").json()
    return [(row["stack_id"], row["is_deletion_marker"]) for row in rows]


def acknowledge(agent, api, status: str = "SUCCESS") -> None:
    for row in api.get(f"/agents/{agent.id}/target-state").json():
        if row["is_deletion_marker"]:
            sent = {"deployment_object_id": row["id"], "event_type": "DEPLOY", "status": status}
            assert api.post(f"/agents/{agent.id}/events", sent).status_code == 201


def test_deleting_a_stack_drops_its_explicit_targets_and_no_others(admin):
    agent, _ = make_agent()
    stack, other = make_stack(), make_stack()
    make_target(agent, stack)
    kept = make_target(agent, other)
    admin.delete(f"/stacks/{stack.id}")
    assert list(AgentTarget.objects.all()) == [kept]


@pytest.mark.parametrize("leg", ["target", "label", "annotation"])
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_an_agent_that_reported_receives_the_marker_until_it_succeeds(admin, leg, mode):
    agent, api = make_agent(labels=["a"], annotations={"k": "v"})
    stack = make_stack(
        labels=["a"] if leg == "label" else [], annotations={"k": "v"} if leg == "annotation" else {}
    )
    if leg == "target":
        make_target(agent, stack)
    make_event(agent, make_object(stack), "FAILURE")
    admin.delete(f"/stacks/{stack.id}")
    assert state(agent, api, mode) == [(str(stack.id), True)]
    marker = api.get(f"/agents/{agent.id}/target-state").json()[0]
    assert (marker["yaml_content"], marker["yaml_checksum"]) == ("", EMPTY)
    acknowledge(agent, api, "FAILURE")
    assert state(agent, api, mode) == [(str(stack.id), True)]
    acknowledge(agent, api)
    assert state(agent, api, mode) == []


def test_an_agent_that_reported_on_an_older_version_only_is_owed_the_marker_too(admin):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack))
    make_object(stack, manifest(2))
    admin.delete(f"/stacks/{stack.id}")
    assert state(agent, api) == [(str(stack.id), True)]


def test_only_associated_agents_that_reported_are_owed_the_marker(admin):
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    silent, silent_api = make_agent(labels=["a"])
    stranger, stranger_api = make_agent(labels=["b"])
    gone, _ = make_agent(labels=["a"])
    for agent in (stranger, gone):
        make_event(agent, obj)
    admin.delete(f"/agents/{gone.id}")
    admin.delete(f"/stacks/{stack.id}")
    assert state(silent, silent_api) == state(stranger, stranger_api) == []
    assert not MarkerDelivery.objects.exists()


def test_a_new_stack_of_the_same_name_stands_beside_the_old_ones_marker(admin):
    generator, owner = make_generator()
    agent, api = make_agent(labels=["a"])
    stack = make_stack(generator, name="api", labels=["a"])
    make_event(agent, make_object(stack))
    admin.delete(f"/stacks/{stack.id}")
    again = owner.post("/stacks", {"name": "api"}).json()["id"]
    owner.post(f"/stacks/{again}/labels", "a")
    owner.post(f"/stacks/{again}/deployment-objects", {"yaml_content": manifest(1)})
    assert state(agent, api) == [(again, False), (str(stack.id), True)]


@pytest.fixture(params=[False, True], ids=["registration optional", "registration required"])
def estate(request, settings, db):
    """A generator with three stacks, and an agent that serves and has reported on the first two of them."""
    settings.REQUIRE_REGISTRATION = request.param
    generator, owner = make_generator("ci")
    agent, api = make_agent(labels=["a"])
    make_registration(agent, generator)
    stacks = [make_stack(generator, name=f"stack {n}", labels=["a"]) for n in range(2)]
    stacks.append(make_stack(generator, name="stack 2"))
    make_target(agent, stacks[1])
    for stack in stacks:
        make_event(agent, make_object(stack))
    return generator, owner, agent, api, stacks


def test_deleting_a_generator_deletes_its_stacks_and_objects_leaving_markers(admin, estate):
    generator, _, _, _, stacks = estate
    bystander = make_stack()
    admin.delete(f"/generators/{generator.id}")
    assert Generator.objects.get(id=generator.id).deleted_at is not None
    for stack in stacks:
        refused(admin.get(f"/stacks/{stack.id}"), 404, "stack_not_found")
        assert [obj.is_deletion_marker for obj in DeploymentObject.objects.active().filter(stack=stack)] == [
            True
        ]
    assert [stack.id for stack in Stack.objects.active()] == [bystander.id]


def test_the_markers_still_reach_the_agents_of_a_deleted_generator(admin, estate):
    generator, _, agent, api, stacks = estate
    admin.delete(f"/generators/{generator.id}")
    for mode in ("full", "incremental"):
        assert state(agent, api, mode) == [(str(stacks[1].id), True), (str(stacks[0].id), True)]
    marker = api.get(f"/agents/{agent.id}/target-state").json()[0]
    assert api.get(f"/deployment-objects/{marker['id']}").status_code == 200
    acknowledge(agent, api)
    assert state(agent, api) == []


def test_its_registrations_and_targets_close_and_its_key_dies(admin, estate):
    generator, owner, agent, _, _ = estate
    other, _ = make_generator()
    make_registration(agent, other)
    admin.delete(f"/generators/{generator.id}")
    refused(owner.get("/stacks"), 401, "unauthorized")
    assert not Registration.objects.filter(generator=generator).exists()
    assert Registration.objects.filter(agent=agent).count() == 2
    assert not AgentTarget.objects.exists()
    refused(admin.get(f"/generators/{generator.id}/registered-agents"), 404, "generator_not_found")


def test_all_names_are_free_at_once(admin, estate):
    generator, _, _, _, _ = estate
    admin.delete(f"/generators/{generator.id}")
    again = admin.post("/generators", {"name": "ci"}).json()["generator"]["id"]
    for n in range(3):
        body = {"name": f"stack {n}", "generator_id": again}
        assert admin.post("/stacks", body).status_code == 201
    assert len(admin.get("/stacks").json()) == 3


def test_a_generator_that_deletes_itself_is_the_author_of_it_all(estate):
    generator, owner, _, _, stacks = estate
    with recorded_events() as events, recorded_audit() as rows:
        assert owner.delete(f"/generators/{generator.id}").status_code == 204
    assert sorted((row.action, row.resource_id) for row in rows) == sorted(
        [("generator.deleted", generator.id), *(("stack.deleted", stack.id) for stack in stacks)]
    )
    assert {(row.actor_type, row.actor_id) for row in rows} == {("generator", generator.id)}
    assert notices(events) == []


def test_a_stack_deleted_before_its_generator_keeps_its_marker(admin, estate):
    generator, _, agent, api, stacks = estate
    admin.delete(f"/stacks/{stacks[0].id}")
    admin.delete(f"/generators/{generator.id}")
    assert sorted(state(agent, api)) == sorted((str(stack.id), True) for stack in stacks[:2])
    assert DeploymentObject.objects.active().filter(stack=stacks[0]).count() == 1


def test_a_stack_that_moved_away_in_time_survives(admin, estate):
    generator, _, agent, api, stacks = estate
    other, _ = make_generator()
    make_registration(agent, other)
    admin.put(f"/stacks/{stacks[0].id}", {"generator_id": str(other.id)})
    admin.delete(f"/generators/{generator.id}")
    assert sorted(state(agent, api)) == sorted([(str(stacks[0].id), False), (str(stacks[1].id), True)])
