"""How agents stand with stacks, and which deployments need attention."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents import attention
from agents.attention import failing, pending, removing, silent
from agents.deployments import Deployment, of_agent, of_stack
from agents.models import Agent, HoldReason, VersionHold
from agents.services.agents import delete_agent, lock_agent
from agents.wanted.standing import Standing
from agents.wanted.ties import served_stacks
from core.events import SYSTEM
from core.labels.services import remove_label
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


@pytest.fixture
def pair():
    """An active agent that is heard, and a stack that it serves."""
    return make_agent(labels=["prod"], active=True, heard=True)[0], make_stack(labels=["prod"])


def standing_of(agent, stack) -> Deployment:
    """As asked from both ends."""
    (deployment,) = of_agent(agent, [stack])
    assert of_stack(stack, [agent]) == [deployment]
    return deployment


def pairs(deployments: list[Deployment]) -> list[tuple[str, str]]:
    return [(each.agent.name, each.stack.name) for each in deployments]


def test_a_stack_without_a_version_is_empty(pair):
    assert standing_of(*pair).standing == Standing.EMPTY
    assert pending(limit=5) == []


def test_a_version_that_nobody_spoke_of_is_pending_since_its_publication(pair):
    agent, stack = pair
    obj = make_object(stack)
    found = standing_of(agent, stack)
    assert found == Deployment(agent, stack, Standing.PENDING, obj.created_at, obj.sequence_id)
    assert pending(limit=5) == [found]
    assert failing(limit=5) == []


def test_a_success_is_applied_since_the_report(pair):
    agent, stack = pair
    obj = make_object(stack)
    event = make_event(agent, obj)
    found = standing_of(agent, stack)
    assert (found.standing, found.since) == (Standing.APPLIED, event.created_at)
    assert pending(limit=5) == failing(limit=5) == []


def test_a_failure_is_failing_with_its_message(pair):
    agent, stack = pair
    obj = make_object(stack)
    event = make_event(agent, obj, "FAILURE", "no such image")
    found = standing_of(agent, stack)
    assert found == Deployment(
        agent, stack, Standing.FAILING, event.created_at, obj.sequence_id, obj.sequence_id, "no such image"
    )
    assert failing(limit=5) == [found]
    assert pending(limit=5) == []


def test_a_newer_version_makes_even_a_failure_pending(pair):
    agent, stack = pair
    old = make_object(stack)
    make_event(agent, old, "FAILURE", "no such image")
    new = make_object(stack)
    found = standing_of(agent, stack)
    assert found == Deployment(
        agent, stack, Standing.PENDING, new.created_at, new.sequence_id, old.sequence_id, "no such image"
    )
    assert pending(limit=5) == [found]
    assert failing(limit=5) == []


def test_a_report_on_a_version_that_is_held_since_leaves_the_one_before_pending(pair):
    agent, stack = pair
    older, newer = make_object(stack), make_object(stack)
    make_event(agent, newer)
    assert pending(limit=5) == []
    VersionHold.objects.create(version=newer, reason=HoldReason.FREEZE)
    (waiting,) = pending(limit=5)
    assert (waiting.newest, waiting.reported) == (older.pk, newer.pk)


@pytest.mark.parametrize("given", [{"heard": True}, {"active": True}])
def test_what_waits_for_an_agent_that_is_not_active_or_not_heard_is_silent_and_not_pending(given):
    agent, _ = make_agent(labels=["prod"], **given)
    stack = make_stack(labels=["prod"])
    make_object(stack)
    assert standing_of(agent, stack).standing == Standing.PENDING
    assert pending(limit=5) == []
    assert pairs(silent(limit=5)) == [(agent.name, stack.name)]


def test_an_agent_that_no_longer_serves_the_stack_is_not_listed(pair):
    agent, stack = pair
    make_event(agent, make_object(stack), "FAILURE")
    assert len(failing(limit=5)) == 1
    remove_label(owner=agent, label="prod", actor=SYSTEM)
    assert failing(limit=5) == []
    make_object(stack)
    assert pending(limit=5) == []


def test_what_fails_is_found_behind_many_failures_of_stacks_that_are_no_longer_served(pair):
    agent, stack = pair
    make_event(agent, make_object(stack), "FAILURE")
    for _ in range(3):
        other = make_stack(labels=["left"])
        make_event(agent, make_object(other), "FAILURE")
    assert pairs(failing(limit=1)) == [(agent.name, stack.name)]


@pytest.mark.parametrize("how", ["labels", "annotations", "target"])
@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("has_reported", [True, False])
def test_who_serves_is_decided_as_for_the_target_state(settings, how, is_required, has_reported):
    generator, _ = make_generator()
    ties: dict[str, dict[str, Any]] = {
        "labels": {"labels": ["a"]},
        "annotations": {"annotations": {"k": "v"}},
    }
    given = ties.get(how, {})
    stack = make_stack(generator, **given)
    agents = [make_agent(active=True, heard=True, **given)[0] for _ in range(2)]
    make_registration(agents[0], generator)
    if how == "target":
        for agent in agents:
            make_target(agent, stack)
    old = make_object(stack)
    if has_reported:
        for agent in agents:
            make_event(agent, old, "FAILURE")
    settings.REQUIRE_REGISTRATION = is_required
    serving = {agent.name for agent in agents if served_stacks(agent.pk).exists()}
    assert len(serving) == (1 if is_required and how != "target" else 2)
    if has_reported:
        assert {name for name, _ in pairs(failing(limit=5))} == serving
        make_object(stack)
    assert {name for name, _ in pairs(pending(limit=5))} == serving


def test_a_deleted_stack_is_being_removed_until_the_agent_says_so(pair):
    agent, stack = pair
    make_event(agent, make_object(stack), "FAILURE")
    with transaction.atomic():
        marker = delete_stack(stack=stack, actor=SYSTEM)
    (found,) = removing(limit=5)
    assert (found.agent, found.stack, found.standing, found.newest) == (
        agent,
        stack,
        Standing.REMOVING,
        marker.pk,
    )
    assert failing(limit=5) == pending(limit=5) == []
    make_event(agent, marker)
    assert removing(limit=5) == []


def test_a_deleted_agent_is_not_listed(pair):
    agent, stack = pair
    make_event(agent, make_object(stack), "FAILURE")
    with transaction.atomic():
        delete_agent(agent=lock_agent(agent.pk), actor=SYSTEM)
    make_object(stack)
    assert failing(limit=5) == pending(limit=5) == removing(limit=5) == []


def test_what_happened_last_comes_first_and_only_so_many(pair):
    agent, _ = pair
    names: list[tuple[str, str]] = []
    for _ in range(3):
        stack = make_stack(labels=["prod"])
        make_event(agent, make_object(stack), "FAILURE")
        names.insert(0, (agent.name, stack.name))
    assert pairs(failing(limit=5)) == names
    assert pairs(failing(limit=2)) == names[:2]
    for _, name in reversed(names):
        make_object(agent_stack(name))
    assert pairs(pending(limit=2)) == names[:2]


def agent_stack(name: str):
    return DeploymentObject.objects.get(stack__name=name).stack


def test_a_first_delivery_is_missed_only_when_it_is_old_or_many_were_published_since(pair, monkeypatch):
    agent, stack = pair
    obj = make_object(stack)
    assert pairs(pending(limit=5)) == [(agent.name, stack.name)]
    monkeypatch.setattr(attention, "FIRST_DELIVERY_WITHIN", timedelta(0))
    assert pending(limit=5) == []
    monkeypatch.undo()
    make_object(make_stack())
    monkeypatch.setattr(attention, "FIRST_DELIVERIES_OF", 1)
    assert pending(limit=5) == []
    # One that has reported before is found however long ago the version was published.
    make_event(agent, obj)
    newer = make_object(stack)
    make_object(make_stack())
    assert [each.newest for each in pending(limit=5)] == [newer.sequence_id]


def test_the_queries_do_not_grow_with_the_rows():
    costs = []
    for _ in range(2):
        agent, _ = make_agent(labels=["prod"], active=True, heard=True)
        for _ in range(2):
            make_event(agent, make_object(make_stack(labels=["prod"])), "FAILURE")
            make_object(make_stack(labels=["prod"]))
        agent = Agent.objects.get(pk=agent.pk)
        with CaptureQueriesContext(connection) as captured:
            assert failing(limit=50)
            assert pending(limit=50)
            assert removing(limit=50) == []
            assert of_agent(agent, served_stacks(agent.pk))
        costs.append(len(captured))
    assert costs[0] == costs[1]
