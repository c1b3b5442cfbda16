"""Pausing, resuming, aborting and skipping a rollout."""

from datetime import timedelta
from uuid import uuid4

import pytest

from rollouts.errors import ReasonRequired, RolloutNotFound, RolloutStateConflict
from rollouts.models import RolloutState
from rollouts.services.control import abort, pause, resume, skip
from tests.support.events import recorded_events
from tests.support.rollouts import ADMIN, SOAK, make_scene, wave

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture
def rollout(scene):
    return scene.start()


def act(action, scene, rollout, reason="because"):
    return action(rollout_id=rollout.pk, reason=reason, actor=ADMIN, now=scene.now)


def test_a_paused_rollout_releases_nothing_more(scene, rollout):
    act(pause, scene, rollout)
    scene.report(scene.holders(rollout.version), rollout.version)
    rollout = scene.tick(rollout, after=timedelta(days=2))
    assert (rollout.state, rollout.wave) == (RolloutState.PAUSED, 1)
    assert (rollout.reason, rollout.changed_by) == ("because", ADMIN.label)
    assert len(scene.holders(rollout.version)) == 1


def test_a_resumed_rollout_goes_on(scene, rollout):
    act(pause, scene, rollout)
    act(resume, scene, rollout)
    assert scene.prove(rollout).wave == 2


def test_resuming_accepts_the_failures_there_are(scene, rollout):
    scene.report(scene.holders(rollout.version), rollout.version, "FAILURE")
    assert scene.tick(rollout).state == RolloutState.PAUSED
    act(resume, scene, rollout)
    rollout = scene.tick(rollout)
    assert (rollout.state, rollout.wave) == (RolloutState.PROGRESSING, 2)


def test_a_new_failure_after_resuming_stops_again(scene, rollout):
    canary = scene.holders(rollout.version)
    scene.report(canary, rollout.version, "FAILURE")
    scene.tick(rollout)
    act(resume, scene, rollout)
    rollout = scene.tick(rollout)
    scene.report([agent for agent in scene.agents if agent not in canary][:1], rollout.version, "FAILURE")
    assert scene.tick(rollout).state == RolloutState.PAUSED


def test_a_failure_that_was_made_good_is_accepted_no_more():
    scene = make_scene(wave("both", count=2), wave())
    rollout = scene.start()
    first = scene.holders(rollout.version)[:1]
    scene.report(first, rollout.version, "FAILURE")
    scene.tick(rollout)
    act(resume, scene, rollout)
    scene.report(first, rollout.version)
    scene.tick(rollout, after=SOAK)
    scene.report(first, rollout.version, "FAILURE")
    assert scene.tick(rollout).state == RolloutState.PAUSED


def test_resuming_begins_the_deadline_anew(scene, rollout):
    assert scene.tick(rollout, after=timedelta(hours=24)).cause == "deadline_passed"
    act(resume, scene, rollout)
    assert scene.tick(rollout, after=timedelta(hours=23)).state == RolloutState.PROGRESSING
    assert scene.tick(rollout, after=timedelta(hours=1)).state == RolloutState.PAUSED


def test_an_aborted_rollout_leaves_everybody_what_they_have(scene, rollout):
    canary = scene.holders(rollout.version)
    act(abort, scene, rollout)
    assert scene.tick(rollout).state == RolloutState.ABORTED
    assert scene.holders(rollout.version) == canary
    assert len(scene.holders(scene.first)) == len(scene.agents) - 1


def test_a_skipped_rollout_gives_the_version_to_everybody(scene, rollout):
    rollout = act(skip, scene, rollout)
    assert (rollout.state, rollout.is_skipped) == (RolloutState.SUCCEEDED, True)
    assert scene.holders(rollout.version) == scene.agents


@pytest.mark.parametrize("action", [abort, skip])
@pytest.mark.parametrize("reason", ["", "  "])
def test_what_gives_up_a_safeguard_wants_a_reason(scene, rollout, action, reason):
    with pytest.raises(ReasonRequired):
        act(action, scene, rollout, reason)


@pytest.mark.parametrize("action", [pause, resume, abort, skip])
def test_a_rollout_that_has_ended_takes_nothing_more(scene, rollout, action):
    act(abort, scene, rollout)
    with pytest.raises(RolloutStateConflict):
        act(action, scene, rollout)


def test_only_a_paused_rollout_is_resumed_and_only_a_moving_one_paused(scene, rollout):
    with pytest.raises(RolloutStateConflict):
        act(resume, scene, rollout)
    act(pause, scene, rollout)
    with pytest.raises(RolloutStateConflict):
        act(pause, scene, rollout)


@pytest.mark.parametrize("action", [pause, resume, abort, skip])
def test_an_unknown_rollout_is_not_found(scene, action):
    with pytest.raises(RolloutNotFound):
        action(rollout_id=uuid4(), reason="because", actor=ADMIN, now=scene.now)


def test_each_step_is_told_once(scene):
    with recorded_events() as events:
        rollout = scene.start()
        act(pause, scene, rollout)
        act(resume, scene, rollout)
        scene.prove(scene.prove(rollout))
    kinds = [event.kind for event in events if event.kind.startswith("rollout.")]
    assert kinds == [
        "rollout.started",
        "rollout.wave_released",
        "rollout.paused",
        "rollout.resumed",
        "rollout.wave_proven",
        "rollout.wave_released",
        "rollout.wave_proven",
        "rollout.succeeded",
    ]
