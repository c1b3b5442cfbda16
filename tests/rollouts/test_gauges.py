"""Metrics about rollouts."""

import pytest
from django.utils import timezone

from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db


def lines(anonymous):
    return anonymous.get("/metrics").content.decode().splitlines()


def test_rollouts_are_counted_by_state(anonymous):
    make_scene().start()
    found = lines(anonymous)
    assert 'brokkr_rollouts{state="progressing"} 1.0' in found
    assert 'brokkr_rollouts{state="paused"} 0.0' in found


def test_the_time_to_prove_a_wave_is_a_histogram(anonymous):
    scene = make_scene()
    scene.prove(scene.start())
    found = lines(anonymous)
    assert 'brokkr_rollout_wave_proof_seconds_bucket{le="300.0"} 1.0' in found
    assert 'brokkr_rollout_wave_proof_seconds_bucket{le="+Inf"} 1.0' in found
    assert 'brokkr_rollout_wave_proof_seconds_bucket{le="30.0"} 1.0' not in found


def test_freezes_are_counted(anonymous):
    begin_freeze(scope=Freeze.Scope.FLEET, reason="x", actor=ADMIN, now=timezone.now())
    assert "brokkr_freezes 1.0" in lines(anonymous)


def test_versions_that_come_faster_than_waves_are_proven_are_counted(anonymous, operator):
    scene = make_scene()
    for number in range(4):
        scene.start(f"a: {number}")
    assert "brokkr_rollouts_starving 0.0" in lines(anonymous)
    words = "4 rollouts before it were superseded"
    assert words not in operator.get("").content.decode()
    scene.start("a: 4")
    assert "brokkr_rollouts_starving 1.0" in lines(anonymous)
    assert words in operator.get("").content.decode()


def test_a_success_ends_the_count_of_what_was_superseded(anonymous):
    scene = make_scene(wave())
    for number in range(5):
        rollout = scene.start(f"a: {number}")
    scene.prove(rollout)
    scene.start("a: 5")
    assert "brokkr_rollouts_starving 0.0" in lines(anonymous)


def test_a_worker_that_does_not_look_is_seen(anonymous):
    make_scene().publish()
    (line,) = [line for line in lines(anonymous) if line.startswith("brokkr_rollout_look_overdue_seconds ")]
    assert float(line.split()[1]) > 0
