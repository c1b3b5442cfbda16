"""Rolling back: the previous content comes again as a new version, for whoever has got a newer one."""

import pytest

from core.events import SYSTEM, Actor
from core.labels.services import remove_label
from paks.actors import ActorType
from rollouts.errors import (
    NewerVersionReleased,
    NothingToRollBackTo,
    ReasonRequired,
    RolloutStateConflict,
)
from rollouts.models import Rollout, RolloutState
from rollouts.services.control import abort, pause, skip
from rollouts.services.person_releases import release_version
from rollouts.services.rollbacks import roll_back
from rollouts.strategies import OnFailure, OnNewer
from stacks.models import DeploymentObject
from stacks.services import PublishOptions, publish
from tests.factories import make_agent, make_stack
from tests.support.events import recorded_audit
from tests.support.rollouts import ADMIN, SOAK, Scene, give_strategy, make_scene, make_strategy, state_of

pytestmark = pytest.mark.django_db


def back(scene, rollout, reason="broken", actor=ADMIN):
    return roll_back(rollout_id=rollout.pk, reason=reason, actor=actor, now=scene.now)


def test_those_who_have_the_new_version_get_the_old_content_and_others_keep_theirs():
    scene = make_scene()
    rollout = scene.start()
    canary = scene.holders(rollout.version)
    version = back(scene, rollout)
    assert version.yaml_content == scene.first.yaml_content
    assert scene.holders(version) == canary
    assert len(scene.holders(scene.first)) == len(scene.agents) - 1
    assert state_of(rollout) == RolloutState.ROLLED_BACK


def test_the_middle_versions_of_a_chain_are_rolled_back_too():
    scene = make_scene()
    scene.prove(scene.start("a: 2"))
    rollout = scene.start("a: 3")
    version = back(scene, rollout)
    assert scene.holders(version) == scene.agents


def test_an_aborted_rollout_can_be_rolled_back():
    scene = make_scene()
    rollout = scene.start()
    canary = scene.holders(rollout.version)
    abort(rollout_id=rollout.pk, reason="no", actor=ADMIN, now=scene.now)
    assert scene.holders(back(scene, rollout)) == canary


def aborted_and_released(scene):
    """A rollout that was aborted, and the one by which somebody released its version after all."""
    aborted = scene.start()
    abort(rollout_id=aborted.pk, reason="no", actor=ADMIN, now=scene.now)
    released = release_version(version=aborted.version, reason="yes", actor=ADMIN, now=scene.now)
    return aborted, released


def test_rolling_an_aborted_rollout_back_ends_the_one_that_released_its_version():
    scene = make_scene()
    aborted, released = aborted_and_released(scene)
    scene.tick(released)
    canaries = scene.holders(aborted.version)
    version = back(scene, aborted)
    assert state_of(released) == RolloutState.SUPERSEDED
    assert scene.holders(version) == canaries
    scene.report(canaries, aborted.version)
    scene.tick(released, after=SOAK)
    assert scene.holders(aborted.version) == []


def test_an_aborted_rollout_whose_version_all_have_got_is_rolled_back_for_everybody():
    scene = make_scene()
    aborted, released = aborted_and_released(scene)
    skip(rollout_id=released.pk, reason="now", actor=ADMIN, now=scene.now)
    assert scene.holders(aborted.version) == scene.agents
    assert scene.holders(back(scene, aborted)) == scene.agents


def test_a_succeeded_rollout_is_rolled_back_for_everybody():
    scene = make_scene()
    rollout = scene.prove(scene.prove(scene.start()))
    version = back(scene, rollout)
    assert not version.holds.exists()
    assert scene.holders(version) == scene.agents


def test_a_newcomer_after_a_rollback_has_the_same_content():
    scene = make_scene()
    version = back(scene, scene.start())
    newcomer = make_agent(active=True, labels=["app"])[0]
    scene.agents.append(newcomer)
    wanted = DeploymentObject.objects.filter(pk__in=scene.wanted().values())
    assert {obj.yaml_content for obj in wanted} == {version.yaml_content}


def test_a_released_agent_that_left_gets_the_old_content_when_it_comes_back():
    scene = make_scene()
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    remove_label(owner=canary, label="app", actor=SYSTEM)
    version = back(scene, rollout)
    assert version.releases.filter(agent=canary).exists()


def test_a_deletion_marker_is_brought_back_as_one():
    scene = make_scene()
    publish(
        stack_id=scene.stack.pk,
        yaml_content="",
        is_deletion_marker=True,
        actor=ADMIN,
        options=PublishOptions(strategy="none", reason="go"),
    )
    version = back(scene, scene.start())
    assert version.is_deletion_marker


def test_the_first_version_of_a_stack_cannot_be_rolled_back():
    stack = make_stack(labels=["app"])
    give_strategy(stack, make_strategy(on_failure=OnFailure.ROLL_BACK))
    agent = make_agent(active=True, labels=["app"])[0]
    scene = Scene(stack, [agent], None)
    rollout = scene.start()
    with pytest.raises(NothingToRollBackTo):
        back(scene, rollout)
    scene.report([agent], rollout.version, "FAILURE")
    rollout = scene.tick(rollout)
    assert (rollout.state, rollout.cause) == (RolloutState.PAUSED, "too_many_failures")
    assert NothingToRollBackTo.message in rollout.reason


def test_an_older_rollout_is_not_rolled_back_under_a_newer_one():
    scene = make_scene()
    rollout = scene.prove(scene.prove(scene.start("a: 2")))
    scene.start("a: 3")
    with pytest.raises(NewerVersionReleased):
        back(scene, rollout)


def aborted_in_the_queue(scene):
    """Abort a newer rollout that waits, so that no agent ever has its version."""
    queued = Rollout.objects.get(version=scene.publish("a: 3"))
    abort(rollout_id=queued.pk, reason="not this one", actor=ADMIN, now=scene.now)
    return queued


def test_a_newer_version_that_nobody_got_does_not_keep_it_from_rolling_back():
    scene = make_scene(on_newer=OnNewer.QUEUE)
    rollout = scene.start("a: 2")
    canary = scene.holders(rollout.version)
    aborted_in_the_queue(scene)
    assert scene.holders(back(scene, rollout)) == canary


def test_a_failure_rolls_back_although_a_newer_rollout_was_aborted_in_the_queue():
    scene = make_scene(on_newer=OnNewer.QUEUE, on_failure=OnFailure.ROLL_BACK)
    rollout = scene.start("a: 2")
    aborted_in_the_queue(scene)
    scene.report(scene.holders(rollout.version), rollout.version, "FAILURE")
    assert scene.tick(rollout).state == RolloutState.ROLLED_BACK


@pytest.mark.parametrize("ended", ["superseded", "rolled back"])
def test_what_was_superseded_or_rolled_back_is_not_rolled_back(ended):
    scene = make_scene()
    rollout = scene.start("a: 2")
    if ended == "superseded":
        scene.publish("a: 3")
    else:
        back(scene, rollout)
    with pytest.raises(RolloutStateConflict):
        back(scene, rollout)


def test_a_reason_is_wanted():
    scene = make_scene()
    with pytest.raises(ReasonRequired):
        back(scene, scene.start(), reason=" ")


def test_a_paused_rollout_can_be_rolled_back():
    scene = make_scene()
    rollout = scene.start()
    pause(rollout_id=rollout.pk, reason="", actor=ADMIN, now=scene.now)
    back(scene, rollout)
    assert state_of(rollout) == RolloutState.ROLLED_BACK


def test_what_waited_for_the_rollout_is_superseded():
    scene = make_scene(on_newer=OnNewer.QUEUE)
    rollout = scene.start("a: 2")
    queued = Rollout.objects.get(version=scene.publish("a: 3"))
    assert queued.state == RolloutState.QUEUED
    back(scene, rollout)
    assert state_of(queued) == RolloutState.SUPERSEDED


def test_the_audit_log_has_who_and_why():
    scene = make_scene()
    rollout = scene.start()
    with recorded_audit() as rows:
        back(scene, rollout)
    told = {row.action: row for row in rows}
    assert told["rollout.rolled_back"].details["reason"] == "broken"
    assert told["deployment.created"].details["rolled_back_to"] == scene.first.pk
    assert told["rollout.rolled_back"].actor_label == ADMIN.label


def test_a_generator_may_roll_back_its_own():
    scene = make_scene()
    actor = Actor(type=ActorType.GENERATOR, id=scene.stack.generator_id)
    assert back(scene, scene.start(), actor=actor).yaml_content == scene.first.yaml_content
