"""What becomes of a rollout whose stack, generator or agents are deleted: it ends clearly, and nothing stays held."""

import pytest
from django.db import transaction

from agents.models import VersionHold
from agents.services.agents import delete_agent, lock_agent
from agents.unending_holds import unending_holds
from core.events import SYSTEM
from generators.services import delete_generator, lock_generator
from rollouts.models import Freeze, Rollout, RolloutState
from rollouts.services.freezes import begin_freeze
from rollouts.strategies import OnNewer
from stacks.services import delete_stack, lock_stack
from tests.support.rollouts import ADMIN, make_scene, state_of

pytestmark = pytest.mark.django_db


def delete(scene):
    with transaction.atomic():
        delete_stack(stack=lock_stack(scene.stack.pk), actor=SYSTEM)


def test_the_rollouts_of_a_deleted_stack_end_and_say_why():
    scene = make_scene(on_newer=OnNewer.QUEUE)
    rollout = scene.start("a: 2")
    queued = Rollout.objects.get(version=scene.publish("a: 3"))
    delete(scene)
    for ended in (rollout, queued):
        row = scene.again(ended)
        assert (row.state, row.cause) == (RolloutState.ABORTED, "stack_deleted")
    assert scene.tick(rollout).state == RolloutState.ABORTED
    assert not VersionHold.objects.exists()


def test_the_rollouts_of_a_deleted_generator_end():
    scene = make_scene()
    rollout = scene.start()
    held = begin_freeze(
        scope=Freeze.Scope.GENERATOR,
        generator_id=scene.stack.generator_id,
        reason="x",
        actor=ADMIN,
        now=scene.now,
    )
    with transaction.atomic():
        delete_generator(generator=lock_generator(scene.stack.generator_id), actor=SYSTEM)
    assert scene.again(rollout).cause == "stack_deleted"
    held.refresh_from_db()
    assert held.lifted_at is not None


def test_a_rollout_without_any_agent_left_succeeds():
    scene = make_scene()
    rollout = scene.start()
    for agent in scene.agents:
        with transaction.atomic():
            delete_agent(agent=lock_agent(agent.pk), actor=SYSTEM)
    assert scene.tick(rollout).state == RolloutState.SUCCEEDED


def test_a_rollout_to_a_stack_that_nobody_serves_succeeds():
    scene = make_scene(agents=0)
    assert scene.start().state == RolloutState.SUCCEEDED


def test_nothing_is_held_by_a_rollout_that_has_succeeded():
    scene = make_scene()
    scene.prove(scene.prove(scene.start()))
    assert not VersionHold.objects.exists()


def test_a_hold_that_no_rollout_answers_for_is_found():
    scene = make_scene()
    rollout = scene.start()
    assert unending_holds() == []
    Rollout.objects.filter(pk=rollout.pk).update(state=RolloutState.SUCCEEDED)
    (found,) = unending_holds()
    assert found.hold.version_id == rollout.version_id
    assert state_of(rollout) == RolloutState.SUCCEEDED
