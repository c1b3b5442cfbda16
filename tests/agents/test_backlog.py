"""The number of objects that wait for each agent, against the target state that it counts."""

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from agents.backlog import pending_object_counts
from agents.target_state import state_of
from core.events import SYSTEM
from stacks.services import delete_stack
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

pytestmark = pytest.mark.django_db

words = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3)
pairs = st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["1", "2"]))
agent_plans = st.lists(st.tuples(words, pairs), min_size=1, max_size=3)
stack_plans = st.lists(
    st.fixed_dictionaries(
        {
            "labels": words,
            "annotations": pairs,
            "objects": st.integers(0, 2),
            "targeted": st.booleans(),
            "reported": st.sampled_from([None, "SUCCESS", "FAILURE"]),
            "deleted": st.booleans(),
            "registered": st.booleans(),
        }
    ),
    max_size=4,
)


@pytest.mark.parametrize("required", [False, True])
@examples(max_examples=25)
@given(agent_plans=agent_plans, stack_plans=stack_plans)
def test_it_is_the_length_of_each_agents_incremental_target_state(
    required, agent_plans, stack_plans, settings
):
    with transaction.atomic():
        agents = [make_agent(labels=labels, annotations=pairs)[0] for labels, pairs in agent_plans]
        for number, plan in enumerate(stack_plans):
            generator, _ = make_generator()
            settings.REQUIRE_REGISTRATION = False
            stack = make_stack(generator, labels=plan["labels"], annotations=plan["annotations"])
            agent = agents[number % len(agents)]
            if plan["registered"]:
                make_registration(agent, generator)
            if plan["targeted"]:
                make_target(agent, stack)
            objects = [make_object(stack, manifest(version)) for version in range(plan["objects"])]
            if objects and plan["reported"]:
                make_event(agent, objects[-1], plan["reported"])
            settings.REQUIRE_REGISTRATION = required
            if plan["deleted"]:
                delete_stack(stack=stack, actor=SYSTEM)
        lengths = {agent.id: len(state_of(agent_id=agent.id, mode="incremental")) for agent in agents}
        waiting = {agent_id: length for agent_id, length in lengths.items() if length}
        assert pending_object_counts() == waiting
        assert pending_object_counts(list(lengths)) == waiting
        transaction.set_rollback(True)


def test_only_the_agents_that_are_named_are_counted(admin):
    agents = [make_agent(labels=["a"])[0] for _ in range(3)]
    make_object(make_stack(labels=["a"]))
    assert pending_object_counts([agents[1].id]) == {agents[1].id: 1}
    assert pending_object_counts([]) == {}
    admin.delete(f"/agents/{agents[1].id}")
    assert pending_object_counts() == {agents[0].id: 1, agents[2].id: 1}
    assert pending_object_counts([agents[1].id]) == {}
