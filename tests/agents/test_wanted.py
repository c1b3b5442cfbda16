"""Every shape of the question which version an agent should have gives the answer of the rule in plain Python."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples

from agents.access import agent_may_read
from agents.admin.outcomes import _STATES, GONE, _rows
from agents.attention import failing, failing_versions, failures, held, pending, removing, silent
from agents.backlog import pending_object_counts
from agents.deletion_impact import removers_of_stacks
from agents.deployments import failing_of, of_agent, of_stack
from agents.models import Agent, AgentHeartbeat
from agents.reasons import reasons_for_agents, reasons_for_stacks
from agents.sought import EVERYTHING
from agents.states import States, serving_counts, states_of_agents, states_of_stacks
from agents.target_state import poll, state_of
from agents.wanted.legs import is_served, served_by_agent, served_by_agents, serving_stacks
from agents.wanted.pairs import pairs_of_stacks, wanted_pairs
from agents.wanted.standing import Standing
from agents.wanted.ties import Offer, agents_for, served_stacks, serving_agents, tied_agents, tied_stacks
from agents.wanted.versions import (
    Version,
    current_sql,
    newest_unheld,
    versions_of_agent,
    versions_of_stack,
    wanted_object,
)
from core.prepared import as_uuid, uuid_parameter
from fleet.facts import gather
from fleet.rollup import fleet_agents, records
from paks.models import Role
from paks.principals import Principal
from paks.tokens import split_token
from tests.support.fleet_world import FleetWorld, fleet_plans, make_fleet_world

pytestmark = pytest.mark.django_db

MODES = ("full", "incremental")
ALL_PAIRS = """
SELECT a.id, p.id FROM agents a CROSS JOIN stacks p WHERE a.deleted_at IS NULL AND p.deleted_at IS NULL AND {}
"""


@pytest.mark.parametrize("required", [False, True])
@examples(max_examples=40)
@given(plan=fleet_plans)
def test_all_shapes_of_the_question_agree(required, plan, settings):
    settings.REQUIRE_REGISTRATION = required
    with transaction.atomic():
        world = make_fleet_world(plan)
        of_one_agent(world)
        of_one_stack(world)
        of_given_pairs(world)
        of_given_stacks(world)
        of_the_whole_fleet(world)
        transaction.set_rollback(True)


def of_one_agent(world: FleetWorld) -> None:
    for agent, mine in world.agents.items():
        served = {stack for stack in world.stacks if world.is_served(agent, stack)}
        assert set(served_stacks(agent.pk)) == served
        assert set(tied_stacks(agent.pk)) == {stack for stack in world.stacks if world.is_tied(agent, stack)}
        if not mine["deleted"]:
            sql = served_by_agent(connection.vendor, registration=world.required)
            rows = pairs_of(sql.replace("SELECT ", "SELECT %(agent)s, "), agent=uuid_parameter(agent.pk))
            living = {pk for stack in world.stacks if stack.deleted_at is None for pk in [stack.pk]}
            assert {stack_id for _, stack_id in rows} & living == {stack.pk for stack in served}
        for mode in MODES:
            expected = [] if mine["deleted"] else world.target_state(agent, mode)
            assert list(state_of(agent_id=agent.pk, mode=mode)) == expected
            found = poll(agent_id=agent.pk, token=split_token(world.keys[agent]), mode=mode)
            assert (found is None) if mine["deleted"] else (list(found.object_ids) == expected)
        assert {each.stack for each in failing_of(agent, limit=9)} == {
            stack for who, stack in world.pairs(Standing.FAILING) if who == agent
        }
        assert {each.stack: each.standing for each in of_agent(agent, served)} == {
            stack: world.standing(agent, stack) for stack in served
        }
        assert numbers(versions_of_agent(agent.pk, [stack.pk for stack in served])) == {
            stack.pk: wanted.pk for stack in served if (wanted := world.wanted(agent, stack))
        }


def of_one_stack(world: FleetWorld) -> None:
    for stack, its in world.stacks.items():
        serving = {agent for agent in world.agents if world.is_served(agent, stack)}
        if its["deleted"]:
            owed = {agent for agent, of in world.owed if of == stack}
            assert states_of(stack) == {
                agent: Standing.REMOVING if agent in owed else GONE
                for agent in world.agents
                if agent in owed or (agent, stack) in world.reports
            }
            continue
        offer = Offer.of(stack)
        assert set(serving_agents(stack)) == set(agents_for(offer)) == serving
        assert set(tied_agents(offer)) == {agent for agent in world.agents if world.is_tied(agent, stack)}
        assert newest_unheld(stack.pk) == world.wanted(None, stack)
        assert numbers(versions_of_stack(stack.pk, [agent.pk for agent in world.agents])) == {
            agent.pk: wanted.pk for agent in world.agents if (wanted := world.wanted(agent, stack))
        }
        assert {each.agent: each.standing for each in of_stack(stack, serving)} == {
            agent: world.standing(agent, stack) for agent in serving
        }
        assert states_of(stack) == {
            agent: silent_if_pending(world.standing(agent, stack)) if agent in serving else GONE
            for agent in world.agents
            if agent in serving or (agent, stack) in world.reports
        }


def silent_if_pending(standing: Standing) -> Standing:
    # Nobody sends heartbeats in this world.
    return Standing.SILENT if standing == Standing.PENDING else standing


def states_of(stack) -> dict[Agent, str]:
    return {agent: _STATES[agent.state] for agent in _rows(stack, "")}


def of_given_pairs(world: FleetWorld) -> None:
    condition = is_served("a.id", "p.id", registration=world.required)
    assert pairs_of(ALL_PAIRS.format(condition)) == keys(world.pairs())
    for agent in Agent.objects.active().with_heartbeat():
        reasons = reasons_for_stacks(agent.pk, [stack for stack in world.stacks if stack.deleted_at is None])
        for stack, its in world.stacks.items():
            facts = gather(agent=agent, stack=stack, now=timezone.now())
            owed = world.owed.get((agent, stack))
            removes = its["deleted"] or (owed is not None and not world.is_served(agent, stack))
            assert facts.wanted == (owed if removes else world.wanted(agent, stack))
            if not its["deleted"]:
                assert wanted_object(stack, agent) == world.wanted(agent, stack)
                assert facts.has_held is world.has_held(stack)
            offered = facts.wanted is not None and facts.wanted.id.hex in world.target_state(
                agent, facts.mode
            )
            assert facts.is_offered is offered
            serves = world.is_served(agent, stack)
            assert agent_may_read(Principal(Role.AGENT, agent.pk, key_id=agent.pk), stack) is (
                owed is not None if its["deleted"] else serves
            )
            if not its["deleted"]:
                assert facts.is_associated is world.is_tied(agent, stack)
                why = reasons.get(stack.pk, [])
                assert reasons_for_agents(Offer.of(stack), [agent]).get(agent.pk, []) == why
                assert any(not reason.is_held_back for reason in why) is serves


def of_given_stacks(world: FleetWorld) -> None:
    expected = {
        (agent.pk, stack.pk, wanted.pk)
        for agent, stack in world.pairs()
        if (wanted := world.wanted(agent, stack)) is not None
    }
    stacks = list(world.stacks)
    found = pairs_of_stacks([stack.pk for stack in stacks])
    assert len(found) == len(expected)
    assert set(found) == expected
    serving = {agent.pk for agent in world.agents if world.is_served(agent, stacks[0])}
    of_first = set(pairs_of_stacks([stack.pk for stack in stacks], served_too=stacks[0].pk))
    assert of_first == {pair for pair in expected if pair[0] in serving}
    # Held versions count for agents that would have them if they served the stack, deleted agents too.
    wanted_by_any = {
        wanted.pk
        for stack, its in world.stacks.items()
        for agent in [None, *world.agents]
        if not its["deleted"] and (wanted := world.wanted(agent, stack)) is not None
    }
    with connection.cursor() as cursor:
        cursor.execute(current_sql())
        assert {version for (version,) in cursor.fetchall()} == wanted_by_any


def of_the_whole_fleet(world: FleetWorld) -> None:
    pairs = {
        (agent.pk, stack.pk): wanted.pk if (wanted := world.wanted(agent, stack)) else None
        for agent, stack in world.pairs()
    }
    for sides in (
        {"agent_ids": {agent.pk for agent in world.agents}, "stack_ids": None},
        {"agent_ids": None, "stack_ids": {stack.pk for stack in world.stacks}},
    ):
        answers = wanted_pairs(**sides, ending={})
        assert {pair: wanted.now for pair, wanted in answers.items()} == pairs
        assert all(wanted.now == wanted.eventually for wanted in answers.values())
    registration = world.required
    chosen = "WITH chosen AS (SELECT id FROM agents WHERE deleted_at IS NULL)"
    recent = "WITH recent AS (SELECT id AS stack_id, generator_id FROM stacks WHERE deleted_at IS NULL)"
    living_stacks = {stack.pk for stack, its in world.stacks.items() if not its["deleted"]}
    living_agents = {agent.pk for agent, mine in world.agents.items() if not mine["deleted"]}
    by_agents = pairs_of(f"{chosen} {served_by_agents('chosen', registration=registration)}")
    by_stacks = pairs_of(f"{recent} {serving_stacks('recent', registration=registration)}")
    assert {pair for pair in by_agents if pair[1] in living_stacks} == keys(world.pairs())
    assert {pair for pair in by_stacks if pair[0] in living_agents} == keys(world.pairs())

    waiting = {agent.pk: len(world.target_state(agent, "incremental")) for agent in world.agents}
    counts = {agent_id: count for agent_id, count in waiting.items() if count and agent_id in living_agents}
    assert pending_object_counts() == pending_object_counts([agent.pk for agent in world.agents]) == counts
    lines = records(list(fleet_agents()), now=timezone.now())
    assert {line.agent_id: line.pending_object_count for line in lines if line.pending_object_count} == counts

    active = {agent for agent, mine in world.agents.items() if mine["active"]}
    assert told(failing(limit=99)) == world.pairs(Standing.FAILING)
    # Nobody sends heartbeats in this world.
    assert pending(limit=99) == []
    assert told(silent(limit=99)) == world.pairs(Standing.PENDING)
    AgentHeartbeat.objects.update(last_heartbeat=timezone.now())
    waiting_for = {pair for pair in world.pairs(Standing.PENDING) if pair[0] in active}
    assert told(pending(limit=99)) == waiting_for
    assert told(silent(limit=99)) == world.pairs(Standing.PENDING) - waiting_for
    AgentHeartbeat.objects.update(last_heartbeat=None)
    assert told(held(limit=99)) == world.pairs(Standing.HELD)
    by_version = Counter[tuple[Any, int]]()
    for each in failures(failing_versions(EVERYTHING), EVERYTHING).rows:
        by_version[each.stack_id, each.sequence_id] += each.agents
    assert by_version == Counter(
        (stack.pk, world.wanted(agent, stack).pk) for agent, stack in world.pairs(Standing.FAILING)
    )
    assert told(removing(limit=99)) == {pair for pair in world.owed if pair[0] in active}
    now = timezone.now()
    for found, of_pair in (
        (states_of_stacks(living_stacks, now), 1),
        (states_of_agents(living_agents, now), 0),
    ):
        assert found == {
            pk: told_states(world, [pair for pair in world.pairs() if pair[of_pair].pk == pk]) for pk in found
        }
        assert found.keys() == (living_stacks if of_pair else living_agents)
    assert serving_counts(living_stacks) == Counter(stack.pk for _, stack in world.pairs())
    removers = [pair for pair in world.pairs() if pair in world.reports]
    by_stack, together = removers_of_stacks([stack.pk for stack in world.stacks])
    assert sum(by_stack.values()) == len(removers)
    assert together == len({agent for agent, _ in removers})


def told_states(world: FleetWorld, pairs: list[Any]) -> States:
    return States(**Counter(silent_if_pending(world.standing(*pair)).value for pair in pairs))


def numbers(versions: dict[Any, Version]) -> dict[Any, int]:
    return {key: version.sequence_id for key, version in versions.items()}


def pairs_of(sql: str, **parameters: Any) -> set[tuple[object, object]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return {(as_uuid(first), as_uuid(second)) for first, second in cursor.fetchall()}


def keys(pairs) -> set[tuple[object, object]]:
    return {(agent.pk, stack.pk) for agent, stack in pairs}


def told(deployments) -> set[tuple[object, object]]:
    return {(each.agent, each.stack) for each in deployments}
