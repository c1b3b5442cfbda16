"""What the agent does in its rounds, beside a broker and a cluster."""

import json
from copy import deepcopy

import httpx2
import pytest

from agents.models import AgentEvent, AgentHeartbeat, MarkerDelivery
from core import clock
from core.events import SYSTEM
from health.models import DeploymentHealth
from sync.services import confirm_removals
from tests.brokkr_agent import FOREIGN
from tests.brokkr_agent.conftest import config_map, new_stack, place, remove
from tests.brokkr_agent.fake_cluster import answer_all, be_away
from tests.factories import make_object

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: brokkr}
spec: {replicas: 2}
"""


def test_a_version_is_applied_and_reported(world, stack):
    version = world.publish(stack, config_map("a", "one"))
    world.run()
    assert world.cluster.texts() == {place("a"): {"word": "one"}}
    assert world.said() == [(version.sequence_id, "SUCCESS", None)]
    assert AgentHeartbeat.objects.get(agent=world.row).k8s_reachable is True


def test_what_a_newer_version_does_not_have_is_pruned(world, stack):
    world.publish(stack, config_map("a"), config_map("b"))
    world.run()
    world.publish(stack, config_map("b"), config_map("c"))
    world.run()
    assert world.cluster.texts().keys() == {place("b"), place("c")}


def test_nothing_is_pruned_while_an_object_of_the_new_version_fails(world, stack):
    world.publish(stack, config_map("a"))
    world.run()
    world.cluster.add_foreign(place("taken"), json.loads('{"metadata": {"name": "taken"}}'))
    version = world.publish(stack, config_map("b"), config_map("taken"))
    world.run()
    assert world.cluster.texts().keys() == {place("a"), place("b"), place("taken")}
    said = world.said()[-1]
    assert said[:2] == (version.sequence_id, "FAILURE")
    assert FOREIGN in (said[2] or "")


def test_a_conflict_is_forced_where_the_stack_says_so(world, stack):
    world.cluster.add_foreign(place("taken"), json.loads('{"metadata": {"name": "taken"}}'))
    world.publish(stack, config_map("taken", "ours", annotations='{brokkr.io/force-conflicts: "true"}'))
    world.run()
    assert world.cluster.texts() == {place("taken"): {"word": "ours"}}


def test_a_stack_that_was_deleted_is_removed_and_acknowledged(world, stack):
    world.publish(stack, config_map("a"))
    world.run()
    remove(stack.id)
    world.run()
    assert world.cluster.objects == {}
    assert not MarkerDelivery.objects.filter(agent=world.row).exists()


def test_objects_that_somebody_else_took_over_are_not_removed(world, stack):
    world.publish(stack, config_map("a"), config_map("b"))
    world.run()
    del world.cluster.objects[place("a")]["metadata"]["annotations"]["brokkr.io/stack"]
    remove(stack.id)
    world.run()
    assert world.cluster.texts().keys() == {place("a")}


def test_bad_text_of_one_stack_does_not_hold_up_another(world, stack):
    bad = make_object(stack, "apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n")
    other = new_stack(world)
    world.publish(other, config_map("a"))
    world.run()
    assert world.cluster.texts().keys() == {place("a")}
    assert [said[:2] for said in world.said() if said[0] == bad.sequence_id] == [(bad.sequence_id, "FAILURE")]


def test_a_definition_and_an_instance_come_in_one_version(world, stack):
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: trees.example.com}\n"
        "spec: {group: example.com, scope: Namespaced, names: {kind: Tree, plural: trees},"
        " versions: [{name: v1}]}\n"
    )
    world.publish(
        stack,
        "apiVersion: example.com/v1\nkind: Tree\nmetadata: {name: oak, namespace: brokkr}\n",
        definition,
    )
    world.run()
    assert "/apis/example.com/v1/namespaces/brokkr/trees/oak" in world.cluster.objects


def test_a_namespace_comes_before_what_is_in_it(world, stack):
    world.publish(
        stack,
        config_map("a", namespace="shop"),
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    )
    world.run()
    assert place("a", "shop") in world.cluster.objects


def test_an_object_that_moves_to_another_stack_is_never_deleted(world, stack):
    other = new_stack(world)
    world.publish(stack, config_map("moves"), config_map("stays"))
    world.publish(other, config_map("other"))
    world.run()
    uid = world.cluster.objects[place("moves")]["metadata"]["uid"]
    world.publish(stack, config_map("stays"))
    world.publish(other, config_map("other"), config_map("moves"))
    world.run()
    moved = world.cluster.objects[place("moves")]["metadata"]
    assert (moved["uid"], moved["annotations"]["brokkr.io/stack"]) == (uid, str(other.id))


def test_two_stacks_with_one_object_do_not_fight_for_it(world, stack):
    world.publish(stack, config_map("a", "first"))
    world.run()
    second = world.publish(new_stack(world), config_map("a", "second"), config_map("b"))
    world.run()
    assert world.cluster.texts() == {place("a"): {"word": "first"}, place("b"): {"word": ""}}
    assert stack.name in (world.said()[-1][2] or "")
    assert world.said()[-1][0] == second.sequence_id


def test_removals_of_more_than_half_wait_until_they_are_confirmed(world):
    stacks = [new_stack(world) for _ in range(5)]
    for number, each in enumerate(stacks):
        world.publish(each, config_map(f"c{number}"))
    world.run()
    for each in stacks[:3]:
        remove(each.id)
    world.run()
    assert len(world.cluster.texts()) == 5
    waiting = list(MarkerDelivery.objects.filter(agent=world.row).values_list("marker__id", flat=True))
    confirm_removals(agent_id=world.row.id, object_ids=waiting, actor=SYSTEM, now=clock.now())
    world.run()
    assert world.cluster.texts().keys() == {place("c3"), place("c4")}


def test_a_damaged_inventory_is_named_and_nothing_of_its_stack_is_touched(world, stack):
    world.publish(stack, config_map("a"), config_map("b"))
    world.run()
    (inventory,) = [obj for path, obj in world.cluster.objects.items() if "brokkr-inventory" in path]
    inventory["data"] = {"inventory": "{"}
    world.restart()
    version = world.publish(stack, config_map("c"))
    world.run()
    assert world.cluster.texts().keys() == {place("a"), place("b")}
    assert world.said()[-1][:2] == (version.sequence_id, "FAILURE")


def test_a_removal_that_cannot_be_carried_out_is_reported_as_a_removal(world, stack):
    world.publish(stack, config_map("a"))
    world.run()
    (inventory,) = [obj for path, obj in world.cluster.objects.items() if "brokkr-inventory" in path]
    inventory["data"] = {"inventory": "{"}
    world.restart()
    remove(stack.id)
    world.run()
    assert world.cluster.texts().keys() == {place("a")}
    event = AgentEvent.objects.get(agent=world.row.id, status="FAILURE")
    assert event.event_type == "DELETE"


def test_an_agent_that_starts_again_needs_no_texts_and_applies_nothing(world, stack):
    world.publish(stack, config_map("a"))
    world.run()
    world.restart()
    world.cluster.requests.clear()
    world.run()
    assert [request for request in world.cluster.requests if not request.startswith("GET")] == []


def test_when_nothing_changes_a_round_is_one_call_to_the_broker_and_few_to_the_cluster(world, stack):
    world.publish(stack, config_map("a"), DEPLOYMENT)
    world.run()
    world.cluster.requests.clear()
    world.time += 1
    world.rounds.run()
    assert world.cluster.requests == ["GET /version", "GET /apis/apps/v1/deployments"]


def test_while_the_cluster_is_away_the_broker_hears_of_it_and_nothing_is_lost(world, stack):
    world.publish(stack, config_map("a"))
    world.cluster.refuse = be_away
    world.run()
    assert AgentHeartbeat.objects.get(agent=world.row).k8s_reachable is False
    world.cluster.refuse = answer_all
    world.run()
    assert world.cluster.texts().keys() == {place("a")}


def test_health_is_told_when_it_changes(world, stack):
    version = world.publish(stack, DEPLOYMENT)
    world.run()
    assert DeploymentHealth.objects.get(deployment_object=version).status == "degraded"
    deployment = world.cluster.objects["/apis/apps/v1/namespaces/brokkr/deployments/web"]
    deployment["status"] = {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
    }
    world.run()
    record = DeploymentHealth.objects.get(deployment_object=version)
    assert record.status == "healthy"
    assert json.loads(record.summary or "")["resources"][0]["name"] == "web"


def test_a_dry_run_changes_and_reports_nothing(world, stack):
    world.restart(dry_run=True)
    world.publish(stack, config_map("a"))
    world.run()
    assert (world.cluster.objects, world.said()) == ({}, [])


def test_a_dry_run_leaves_the_inventory_of_a_version_with_the_same_text(world, stack):
    world.publish(stack, config_map("a"))
    world.run()
    before = deepcopy(world.cluster.objects)
    world.publish(stack, config_map("a"))
    said: list[str] = []
    world.restart(dry_run=True).execution.say = said.append
    world.run()
    assert world.cluster.objects == before
    assert (said, world.rounds.has_said_all) == ([f"{stack.name}: nothing would change"], True)


def test_a_version_with_the_same_text_does_not_delay_a_removal(world, stack):
    world.publish(stack, config_map("a"))
    other = new_stack(world)
    world.publish(other, config_map("b"))
    world.run()
    world.publish(stack, config_map("a"))
    remove(other.id)
    world.restart()
    world.run(1)
    assert world.cluster.texts().keys() == {place("a")}


def test_an_agent_that_only_reads_applies_nothing_and_still_beats(world, stack):
    world.restart(read_only=True)
    world.publish(stack, config_map("a"))
    world.run()
    assert world.cluster.objects == {}
    assert AgentHeartbeat.objects.get(agent=world.row).agent_version == "1.0.0"


@pytest.mark.parametrize("status", [403, 422])
def test_an_object_that_is_refused_is_named_and_the_others_are_applied(world, stack, status):
    def refuse(method: str, path: str) -> httpx2.Response | None:
        if method == "PATCH" and path == place("bad"):
            return httpx2.Response(status, json={"message": "it is not allowed"})
        return None

    world.cluster.refuse = refuse
    world.publish(stack, config_map("bad"), config_map("good"))
    world.run()
    assert world.cluster.texts().keys() == {place("good")}
    assert "1 of 2 objects failed. ConfigMap brokkr/bad: it is not allowed" in (world.said()[-1][2] or "")


def test_an_agent_that_is_answered_early_waits_longer_and_longer_before_it_asks_again(world):
    world.run(2)
    # Nobody holds requests here.
    pauses = [world.rounds.run(wait=True) for _ in range(6)]
    assert pauses == [2, 4, 8, 16, 30, 30]
