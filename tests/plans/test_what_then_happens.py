"""A plan says what the write then does: random fleets, every kind of write, target states before and after."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from agents.models import Agent
from agents.target_state import state_of
from stacks.models import DeploymentObject
from tests.factories import manifest
from tests.support.fleet_world import FleetWorld, fleet_plans, make_fleet_world

pytestmark = pytest.mark.django_db

# By agent and stack, the version that is to be deployed.
Deployed = dict[tuple[UUID, UUID], int]
# Method, path and body.
Write = tuple[str, str, object]


def _word(world: FleetWorld, which: str, pick: Callable[[Any], Any]) -> str:
    return f"/{which}/{pick(list(world.agents if which == 'agents' else world.stacks)).pk}"


def _of(which: str, method: str, rest: str = "", body: object = None) -> Any:
    return lambda world, pick: (method, _word(world, which, pick) + rest, body)


def _target(method: str) -> Any:
    def write(world: FleetWorld, pick: Callable[[Any], Any]) -> Write:
        agent, stack = pick(list(world.agents)), pick(list(world.stacks))
        if method == "POST":
            return method, f"/agents/{agent.pk}/targets", {"stack_id": str(stack.pk)}
        return method, f"/agents/{agent.pk}/targets/{stack.pk}", None

    return write


def _registration(method: str) -> Any:
    def write(world: FleetWorld, pick: Callable[[Any], Any]) -> Write:
        agent, stack = pick(list(world.agents)), pick(list(world.stacks))
        return method, f"/generators/{stack.generator_id}/register", {"agent_id": str(agent.pk)}

    return write


def _moved(world: FleetWorld, pick: Callable[[Any], Any]) -> Write:
    stack, other = pick(list(world.stacks)), pick(list(world.stacks))
    return "PUT", f"/stacks/{stack.pk}", {"generator_id": str(other.generator_id)}


def _deleted_generator(world: FleetWorld, pick: Callable[[Any], Any]) -> Write:
    return "DELETE", f"/generators/{pick(list(world.stacks)).generator_id}", None


def _frozen(_world: FleetWorld, _pick: Callable[[Any], Any]) -> Write:
    return "POST", "/freezes", {"scope": "fleet", "reason": "why not"}


def _released(world: FleetWorld, pick: Callable[[Any], Any]) -> Write:
    versions = [version for each in world.versions.values() for version in each]
    chosen = pick(versions).id if versions else UUID(int=0)
    return "POST", f"/deployment-objects/{chosen}/release", {"reason": "why not"}


WRITES: dict[str, Callable[[FleetWorld, Callable[[Any], Any]], Write]] = {
    "publish": _of("stacks", "POST", "/deployment-objects", {"yaml_content": manifest("new")}),
    "publish YAML": _of("stacks", "POST", "/deployment-objects", manifest("new")),
    "publish a marker": _of(
        "stacks", "POST", "/deployment-objects?deletion_marker=true", {"yaml_content": ""}
    ),
    "release": _released,
    "delete a stack": _of("stacks", "DELETE"),
    "delete an agent": _of("agents", "DELETE"),
    "delete a generator": _deleted_generator,
    "move a stack": _moved,
    "target": _target("POST"),
    "untarget": _target("DELETE"),
    "register": _registration("POST"),
    "deregister": _registration("DELETE"),
    "deactivate": _of("agents", "PUT", "", {"status": "INACTIVE"}),
    "activate": _of("agents", "PUT", "", {"status": "ACTIVE"}),
    "freeze": _frozen,
    **{f"label {which}": _of(which, "POST", "/labels", {"label": "a"}) for which in ("stacks", "agents")},
    **{f"unlabel {which}": _of(which, "DELETE", "/labels/a") for which in ("stacks", "agents")},
    **{
        f"annotate {which}": _of(which, "POST", "/annotations", {"key": "k", "value": "1"})
        for which in ("stacks", "agents")
    },
    **{f"unannotate {which}": _of(which, "DELETE", "/annotations/k") for which in ("stacks", "agents")},
}


@pytest.mark.parametrize("name", WRITES)
@examples(max_examples=4)
@given(plan=fleet_plans, required=st.booleans(), picks=st.lists(st.integers(0, 5), min_size=2, max_size=2))
def test_the_plan_is_what_then_happens(admin, settings, name, *, plan, required, picks):
    settings.REQUIRE_REGISTRATION = required
    numbers = iter(picks)
    with transaction.atomic():
        world = make_fleet_world(plan)
        method, path, body = WRITES[name](world, lambda rows: rows[next(numbers) % len(rows)])
        before, statuses = deployed(), active()
        answer = admin.post("/plans", {"method": method, "path": path, "body": body})
        assert (deployed(), active()) == (before, statuses)
        written = make(admin, method, path, body, answer)
        if written.status_code >= 400:
            assert (answer.status_code, answer.json()) == (written.status_code, written.json())
        else:
            told = answer.json()
            after = deployed()
            assert {
                (UUID(each["agent"]["agent_id"]), UUID(each["stack_id"])): each["now"]
                for each in told["agents"]
                if each["now"]
            } == kinds(before, after)
            assert {UUID(each["agent_id"]) for each in told["starting"]} == active() - statuses
            left = {pk for pk in statuses - active() if Agent.objects.active().filter(pk=pk).exists()}
            assert {UUID(each["agent_id"]) for each in told["stopping"]} == left
        transaction.set_rollback(True)


def make(admin, method, path, body, plan):
    """The write itself, and only if it does what the plan says."""
    headers = {"If-Plan": plan.json().get("digest", "0" * 64)}
    if body is None:
        return admin.request(method, path, headers=headers)
    if isinstance(body, str):
        return admin.request(
            method, path, raw=body.encode(), content_type="application/yaml", headers=headers
        )
    return admin.request(method, path, body, headers=headers)


def deployed() -> Deployed:
    """What the target states of all agents say."""
    found = {}
    for agent in Agent.objects.active():
        ids = state_of(agent_id=agent.pk, mode="full")
        for obj in DeploymentObject.objects.filter(id__in=list(ids), is_deletion_marker=False):
            found[agent.pk, obj.stack_id] = obj.pk
    return found


def active() -> set[UUID]:
    return set(Agent.objects.active().filter(status="ACTIVE").values_list("pk", flat=True))


def kinds(before: Deployed, after: Deployed) -> dict[tuple[UUID, UUID], str]:
    found = {}
    for pair in before.keys() | after.keys():
        if pair not in before:
            found[pair] = "gaining"
        elif pair not in after:
            found[pair] = "losing"
        elif before[pair] != after[pair]:
            found[pair] = "changing"
    return found
