"""Verdicts from outside that a wave needs besides the reports of its agents."""

import pytest

from rollouts.errors import CheckNotAwaited, RolloutStateConflict
from rollouts.models import RolloutCheck, RolloutState
from rollouts.services.control import abort, report_check, resume
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db

PASSED, FAILED = RolloutCheck.Verdict.PASSED, RolloutCheck.Verdict.FAILED


@pytest.fixture
def scene():
    return make_scene(wave("canary", count=1, checks=("smoke",)), wave())


def say(scene, rollout, verdict, number=1, name="smoke"):
    return report_check(
        rollout_id=rollout.pk,
        wave=number,
        name=name,
        verdict=verdict,
        note="see the build",
        actor=ADMIN,
        now=scene.now,
    )


def test_a_wave_waits_for_its_check(scene):
    rollout = scene.prove(scene.start())
    assert rollout.wave == 1
    check = say(scene, rollout, PASSED)
    assert (check.note, check.reported_by) == ("see the build", ADMIN.label)
    assert scene.tick(rollout).wave == 2


def test_a_check_that_passes_is_no_proof_by_itself(scene):
    rollout = scene.start()
    say(scene, rollout, PASSED)
    assert scene.tick(rollout).wave == 1


def test_a_failed_check_stops_the_rollout_and_names_itself(scene):
    rollout = scene.start()
    say(scene, rollout, FAILED)
    rollout = scene.tick(rollout)
    assert (rollout.state, rollout.cause) == (RolloutState.PAUSED, "check_failed")
    assert "smoke" in rollout.reason


def test_a_check_of_an_earlier_wave_that_fails_later_stops_the_rollout(scene):
    rollout = scene.start()
    say(scene, rollout, PASSED)
    assert scene.prove(rollout).wave == 2
    say(scene, rollout, FAILED)
    rollout = scene.tick(rollout)
    assert (rollout.state, rollout.cause) == (RolloutState.PAUSED, "check_failed")


def test_the_latest_verdict_counts(scene):
    rollout = scene.start()
    say(scene, rollout, FAILED)
    say(scene, rollout, PASSED)
    assert scene.prove(rollout).wave == 2


def test_resuming_forgets_failed_checks(scene):
    rollout = scene.start()
    say(scene, rollout, FAILED)
    scene.tick(rollout)
    resume(rollout_id=rollout.pk, reason="", actor=ADMIN, now=scene.now)
    assert scene.prove(rollout).wave == 1
    say(scene, rollout, PASSED)
    assert scene.tick(rollout).wave == 2


@pytest.mark.parametrize(("number", "name"), [(1, "other"), (2, "smoke"), (0, "smoke"), (9, "smoke")])
def test_a_check_that_no_released_wave_asks_for_is_refused(scene, number, name):
    rollout = scene.start()
    with pytest.raises(CheckNotAwaited):
        say(scene, rollout, PASSED, number, name)


def test_a_rollout_that_has_ended_takes_no_verdict(scene):
    rollout = scene.start()
    abort(rollout_id=rollout.pk, reason="no", actor=ADMIN, now=scene.now)
    with pytest.raises(RolloutStateConflict):
        say(scene, rollout, PASSED)
