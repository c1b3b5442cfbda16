"""GET /stacks/{id}/timeline: what happened to a stack on all its agents."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from agents.models import HoldReason
from agents.services.holds import hold, lift_all, release
from tests.factories import make_agent, make_event, make_object, make_stack, manifest
from tests.support.api import refused
from tests.support.changing_fleet import quiet_moment

pytestmark = pytest.mark.django_db


def told(api, stack) -> list[Any]:
    response = api.get(f"/stacks/{stack.id}/timeline?limit=1000")
    assert response.status_code == 200, response.content
    entries: list[Any] = response.json()
    return entries


def steps(entries) -> list[tuple[Any, ...]]:
    """Of `wanted`: sequence id before, sequence id after, number of agents."""

    def number(version):
        return version and version["sequence_id"]

    return [
        (number(entry["previous"]), number(entry["version"]), entry["agents"])
        for entry in entries
        if entry["kind"] == "wanted"
    ]


def test_what_happens_to_several_agents_at_once_is_one_entry(admin):
    agents = [make_agent(labels=["a"])[0] for _ in range(3)]
    stack = make_stack(labels=["a"])
    first = make_object(stack)
    second = make_object(stack, manifest(2))
    entries = told(admin, stack)
    assert steps(entries) == [(None, first.pk, 3), (first.pk, second.pk, 3)]
    assert {entry["agent_id"] for entry in entries} == {None}
    assert {entry["cause"]["action"] for entry in entries} == {"deployment.created"}
    assert len(agents) == 3


def test_waves_are_told_as_they_were_released(admin):
    agents = [make_agent(labels=["a"])[0] for _ in range(3)]
    stack = make_stack(labels=["a"])
    old = make_object(stack)
    with transaction.atomic():
        new = make_object(stack, manifest(2))
        hold(version=new, reason=HoldReason.ROLLOUT)
    release(version=new, agent_ids=[agents[0].pk])
    quiet_moment()
    lift_all(version=new)
    assert steps(told(admin, stack)) == [(None, old.pk, 3), (old.pk, new.pk, 1), (old.pk, new.pk, 2)]
    assert told(admin, stack)[1]["agent_id"] == str(agents[0].pk)


def test_a_deleted_stack_tells_its_past_and_who_removed_it(admin):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    api.get(f"/agents/{agent.id}/target-state")
    make_event(agent, obj)
    admin.request("DELETE", f"/stacks/{stack.id}")
    entries = told(admin, stack)
    kinds = [entry["kind"] for entry in entries]
    assert kinds[:4] == ["wanted", "offered", "applied", "wanted"]
    assert set(kinds[4:]) <= {"wanted"}
    assert {entry["cause"]["action"] for entry in entries[3:]} == {"stack.deleted"}
    assert entries[-1]["version"]["is_deletion_marker"]


def test_an_unknown_stack_is_refused(admin):
    refused(admin.get(f"/stacks/{uuid4()}/timeline"), 404, "stack_not_found")
