"""Which objects an agent should have: each leg of the association, and what is left out."""

import pytest

from agents.target_state import state_of
from agents.wanted.ties import served_stacks, serving_agents
from core.events import SYSTEM
from stacks.models import DeploymentObject
from stacks.services import delete_stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)

pytestmark = pytest.mark.django_db


def ids(agent, mode: str = "full") -> list[int]:
    numbers = {obj.id.hex: obj.sequence_id for obj in DeploymentObject.objects.defer("yaml_content")}
    return [numbers[object_id] for object_id in state_of(agent_id=agent.id, mode=mode)]


def test_an_explicit_target_is_served():
    agent, _ = make_agent()
    stack = make_stack()
    obj = make_object(stack)
    make_target(agent, stack)
    assert ids(agent) == [obj.sequence_id]


def test_one_shared_label_of_several_is_enough():
    agent, _ = make_agent(labels=["prod", "eu"])
    obj = make_object(make_stack(labels=["eu", "batch"]))
    assert ids(agent) == [obj.sequence_id]


def test_labels_are_compared_with_regard_to_case():
    agent, _ = make_agent(labels=["Prod"])
    make_object(make_stack(labels=["prod"]))
    assert ids(agent) == []


def test_an_annotation_is_shared_only_with_its_value():
    agent, _ = make_agent(annotations={"region": "eu"})
    obj = make_object(make_stack(annotations={"region": "eu"}))
    make_object(make_stack(annotations={"region": "us"}))
    assert ids(agent) == [obj.sequence_id]


def test_a_stack_matched_in_three_ways_is_answered_once():
    agent, _ = make_agent(labels=["a", "b"], annotations={"k": "v"})
    stack = make_stack(labels=["a", "b"], annotations={"k": "v"})
    make_target(agent, stack)
    obj = make_object(stack)
    assert ids(agent) == [obj.sequence_id]


def test_nothing_in_common_means_nothing_to_deploy():
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["b"]))
    assert ids(agent) == []


def test_only_the_newest_object_of_each_stack_newest_first():
    agent, _ = make_agent(labels=["a"])
    one, two = make_stack(labels=["a"]), make_stack(labels=["a"])
    make_object(one)
    make_object(two)
    newest_one = make_object(one, "a: 2")
    newest_two = make_object(two, "b: 2")
    assert ids(agent) == [newest_two.sequence_id, newest_one.sequence_id]


def test_a_stack_without_objects_contributes_nothing():
    agent, _ = make_agent(labels=["a"])
    make_stack(labels=["a"])
    assert ids(agent) == []


def test_a_marker_as_newest_object_is_delivered_alone():
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_object(stack)
    marker = make_object(stack, "", is_deletion_marker=True)
    assert ids(agent) == [marker.sequence_id]


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
def test_incremental_leaves_out_what_was_reported_on(status):
    agent, _ = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))
    make_event(agent, obj, status)
    assert ids(agent, "incremental") == []
    assert ids(agent, "full") == [obj.sequence_id]


def test_incremental_offers_a_newer_object_again():
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack))
    newer = make_object(stack, "a: 2")
    assert ids(agent, "incremental") == [newer.sequence_id]


def test_another_agents_report_hides_nothing():
    agent, _ = make_agent(labels=["a"])
    other, _ = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))
    make_event(other, obj)
    assert ids(agent, "incremental") == [obj.sequence_id]


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_the_marker_of_a_deleted_stack_is_offered_until_success(mode):
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack))
    marker = delete_stack(stack=stack, actor=SYSTEM)
    assert ids(agent, mode) == [marker.sequence_id]
    make_event(agent, marker, "FAILURE", "cannot reach the cluster")
    assert ids(agent, mode) == [marker.sequence_id]
    make_event(agent, marker)
    assert ids(agent, mode) == []


def test_an_agent_that_never_reported_gets_no_marker():
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_object(stack)
    delete_stack(stack=stack, actor=SYSTEM)
    assert ids(agent) == []


def test_a_marker_is_still_owed_after_the_label_is_gone():
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack))
    marker = delete_stack(stack=stack, actor=SYSTEM)
    agent.labels.all().delete()
    assert ids(agent) == [marker.sequence_id]


def test_a_deleted_agent_has_no_target_state():
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    type(agent).objects.filter(pk=agent.pk).update(deleted_at=agent.created_at)
    assert ids(agent) == []


def test_where_registration_is_required_labels_count_only_for_registered_generators(settings):
    settings.REQUIRE_REGISTRATION = True
    agent, _ = make_agent(labels=["a"], annotations={"k": "v"})
    generator, _ = make_generator()
    stack = make_stack(generator, labels=["a"])
    annotated = make_stack(generator, annotations={"k": "v"})
    first, second = make_object(stack), make_object(annotated)
    assert ids(agent) == []
    make_registration(agent, generator)
    assert ids(agent) == [second.sequence_id, first.sequence_id]


def test_where_registration_is_required_an_explicit_target_stays(settings):
    agent, _ = make_agent()
    stack = make_stack()
    obj = make_object(stack)
    make_target(agent, stack)
    settings.REQUIRE_REGISTRATION = True
    assert ids(agent) == [obj.sequence_id]


def test_both_ends_of_the_association_agree():
    agent, _ = make_agent(labels=["a"], annotations={"k": "v"})
    stacks = [make_stack(labels=["a"]), make_stack(annotations={"k": "v"}), make_stack(labels=["b"])]
    make_target(agent, stacks[2])
    assert {stack.pk for stack in served_stacks(agent.id)} == {stack.pk for stack in stacks}
    assert all([found.pk for found in serving_agents(stack)] == [agent.pk] for stack in stacks)


@pytest.mark.parametrize("stacks", [1, 12])
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_the_target_state_is_one_statement_for_any_number_of_stacks(stacks, mode, django_assert_num_queries):
    agent, _ = make_agent(labels=["a"])
    for _ in range(stacks):
        make_object(make_stack(labels=["a"]))
    with django_assert_num_queries(1):
        assert len(state_of(agent_id=agent.id, mode=mode)) == stacks
