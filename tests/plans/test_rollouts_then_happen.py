"""A plan says what a write about rollouts then does, at once and in the end, whatever the waves are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from agents.target_state import state_of
from rollouts.models import Freeze, Rollout, RolloutState
from rollouts.services.control import abort, approve, pause, resume
from rollouts.services.freezes import begin_freeze, lift_freeze
from stacks.models import DeploymentObject
from tests.factories import make_template, manifest
from tests.support.api import Api
from tests.support.rollouts import ADMIN, Scene, make_scene, make_strategy, wave

pytestmark = pytest.mark.django_db

# Method, path and body of a write.
Write = tuple[str, str, object]
_LAST = 30


@dataclass
class Case:
    """A stack on its way to a version, and a freeze if one holds."""

    scene: Scene
    rollout: Rollout
    freeze: Freeze | None

    @property
    def stack(self) -> str:
        return f"/stacks/{self.scene.stack.pk}"

    @property
    def path(self) -> str:
        return f"/rollouts/{self.rollout.pk}"


def approved(case: Case) -> Write:
    return "POST", f"{case.path}/approve", {"wave": case.rollout.wave + 1}


def released(case: Case) -> Write:
    abort(rollout_id=case.rollout.pk, reason="wrong", actor=ADMIN, now=case.scene.now)
    return "POST", f"/deployment-objects/{case.rollout.version.id}/release", {"reason": "right after all"}


def lifted(case: Case) -> Write:
    assert case.freeze is not None
    return "DELETE", f"/freezes/{case.freeze.pk}", None


def from_template(case: Case) -> Write:
    template = make_template(case.scene.stack.generator, content=manifest("{{ word }}"))
    body = {"template_id": str(template.pk), "parameters": {"word": "made"}}
    return "POST", f"{case.stack}/deployment-objects/from-template", body


def _with_reason(action: str) -> Callable[[Case], Write]:
    return lambda case: ("POST", f"{case.path}/{action}", {"reason": "why not"})


WRITES: dict[str, Callable[[Case], Write]] = {
    "approve": approved,
    "skip": _with_reason("skip"),
    "roll back": _with_reason("roll-back"),
    "release": released,
    "lift": lifted,
    "publish": lambda case: ("POST", f"{case.stack}/deployment-objects", {"yaml_content": manifest("newer")}),
    "from template": from_template,
    "assign a strategy": lambda case: (
        "PUT",
        f"{case.stack}/rollout-strategy",
        {"strategy": make_strategy().name, "reason": "why not"},
    ),
    "take the strategy away": lambda case: (
        "DELETE",
        f"{case.stack}/rollout-strategy",
        {"reason": "why not"},
    ),
}
# What they change is how the next version is published.
FOR_THE_NEXT = ("assign a strategy", "take the strategy away")
# These stop or go on with what has been decided: they have no plan, for nobody should have anything else by them.
WITHOUT_PLAN = ("pause", "resume", "abort")

ways = st.fixed_dictionaries(
    {
        "agents": st.integers(2, 4),
        # Of each wave but the last, how many agents are in it.
        "waves": st.lists(st.integers(1, 2), min_size=1, max_size=2),
        # Which waves wait for a person.
        "asks": st.sets(st.integers(0, 2)),
        "proven": st.integers(0, 2),
    }
)


def make_case(way: dict[str, Any], *, is_frozen: bool = False) -> Case:
    asks = way["asks"]
    bounded = [wave(f"w{n}", count=count, needs_approval=n in asks) for n, count in enumerate(way["waves"])]
    scene = make_scene(*bounded, wave(needs_approval=len(bounded) in asks), agents=way["agents"])
    rollout = scene.start(manifest("new"))
    for _ in range(way["proven"]):
        rollout = step(scene, rollout)
    freeze = None
    if is_frozen:
        freeze = begin_freeze(scope=Freeze.Scope.FLEET, reason="a sale", actor=ADMIN, now=timezone.now())
        scene.publish(manifest("frozen"))
    return Case(scene, rollout, freeze)


def step(scene: Scene, rollout: Rollout) -> Rollout:
    """Let the rollout come one step further, by whomever it waits for."""
    rollout = scene.tick(rollout)
    if rollout.state == RolloutState.WAITING_FOR_APPROVAL:
        approve(rollout_id=rollout.pk, wave=rollout.wave + 1, reason="", actor=ADMIN, now=scene.now)
    elif rollout.state == RolloutState.PAUSED:
        resume(rollout_id=rollout.pk, reason="go on", actor=ADMIN, now=scene.now)
    else:
        rollout = scene.prove(rollout)
    return scene.again(rollout)


def finish(scene: Scene) -> None:
    """Let freezes and rollouts be over, and agents apply what they get."""
    for freeze in Freeze.objects.filter(lifted_at=None):
        lift_freeze(freeze_id=freeze.pk, actor=ADMIN, now=scene.now)
    for _ in range(_LAST):
        rollout = Rollout.objects.unfinished().filter(stack=scene.stack).first()
        if rollout is None:
            return
        step(scene, scene.again(rollout))
    raise AssertionError("a rollout does not end")


def contents(scene: Scene) -> dict[UUID, str]:
    """By agent, the content that its target state says of the stack."""
    found = {}
    for agent in scene.agents:
        ids = state_of(agent_id=agent.pk, mode="full")
        for obj in DeploymentObject.objects.filter(id__in=list(ids), stack=scene.stack):
            found[agent.pk] = obj.yaml_checksum
    return found


def changed(before: dict[UUID, str], after: dict[UUID, str]) -> set[UUID]:
    assert before.keys() == after.keys()
    return {agent for agent, content in after.items() if before[agent] != content}


def told(plan: dict[str, Any], when: str) -> set[UUID]:
    assert {each[when] for each in plan["agents"]} <= {None, "changing"}
    return {UUID(each["agent"]["agent_id"]) for each in plan["agents"] if each[when]}


def send(api: Api, write: Write, **headers: str) -> Any:
    method, path, body = write
    return api.request(method, path, *([] if body is None else [body]), headers=headers)


@pytest.mark.parametrize("name", WRITES)
@examples(max_examples=2, phases=[Phase.generate])
@given(way=ways)
def test_the_plan_is_what_then_happens(admin: Api, name: str, way: dict[str, Any]):
    with transaction.atomic():
        # What a freeze holds back comes in the end, whatever else is written.
        asks = {"asks": {0, 1, 2}} if name == "approve" else {}
        case = make_case(way | asks, is_frozen=name == "lift")
        write = WRITES[name](case)
        method, path, body = write
        before = contents(case.scene)
        answer = admin.post("/plans", {"method": method, "path": path, "body": body})
        assert contents(case.scene) == before
        plan = answer.json()
        written = send(admin, write, **{"If-Plan": plan.get("digest", "0" * 64)})
        if answer.status_code != 200 or plan["refused_by"]:
            assert written.status_code >= 400
            assert contents(case.scene) == before
        else:
            assert written.status_code < 300, written.content
            assert told(plan, "now") == changed(before, contents(case.scene))
            if name not in FOR_THE_NEXT:
                finish(case.scene)
            assert told(plan, "eventually") == changed(before, contents(case.scene))
        transaction.set_rollback(True)


@pytest.mark.parametrize("action", WITHOUT_PLAN)
@examples(max_examples=2, phases=[Phase.generate])
@given(way=ways)
def test_what_has_no_plan_changes_nothing_for_anybody(admin: Api, action: str, way: dict[str, Any]):
    with transaction.atomic():
        case = make_case(way)
        if action == "resume" and case.rollout.state == RolloutState.PROGRESSING:
            pause(rollout_id=case.rollout.pk, reason="lunch", actor=ADMIN, now=case.scene.now)
        before = contents(case.scene)
        write = ("POST", f"{case.path}/{action}", {"reason": "why not"})
        asked = admin.post("/plans", dict(zip(("method", "path", "body"), write, strict=True)))
        assert asked.json()["code"] == "not_plannable"
        send(admin, write)
        assert contents(case.scene) == before
        transaction.set_rollback(True)
