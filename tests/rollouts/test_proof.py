"""When an agent has proven a version: by its report and its health for this very version, unbroken for the soak."""

from datetime import timedelta

import pytest

from agents.models import StackReport
from rollouts.models import RolloutMember
from rollouts.strategies import HealthGate
from tests.factories import make_event, make_health
from tests.support.events import recorded_events
from tests.support.rollouts import SOAK, make_scene, wave

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def gated(health: HealthGate):
    """A rollout whose canary has just applied the version."""
    scene = make_scene(wave("canary", count=1, health=health), wave())
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    make_event(canary, rollout.version)
    return scene, rollout, canary


def say(scene, canary, obj, status="healthy"):
    make_health(canary, obj, status, now=scene.now)


@pytest.mark.parametrize("gate", [HealthGate.IF_REPORTED, HealthGate.IGNORED])
def test_health_that_is_not_reported_is_asked_for_only_where_it_is_required(gate):
    scene, rollout, _ = gated(gate)
    assert scene.tick(rollout, after=SOAK).wave == 2


def test_required_health_that_is_never_reported_never_proves():
    scene, rollout, _ = gated(HealthGate.REQUIRED)
    assert scene.tick(rollout, after=timedelta(hours=23)).wave == 1


def test_whoever_listens_is_warned_that_required_health_may_never_come():
    with recorded_events() as events:
        gated(HealthGate.REQUIRED)
    (started,) = [event for event in events if event.kind == "rollout.started"]
    assert str(started.data["warnings"]).count("requires health") == 1


def test_required_health_proves_after_the_soak():
    scene, rollout, canary = gated(HealthGate.REQUIRED)
    say(scene, canary, rollout.version)
    assert scene.tick(rollout, after=SOAK).wave == 2


@pytest.mark.parametrize("status", ["degraded", "failing", "unknown"])
@pytest.mark.parametrize("gate", [HealthGate.REQUIRED, HealthGate.IF_REPORTED])
def test_an_agent_that_is_not_healthy_proves_nothing(gate, status):
    scene, rollout, canary = gated(gate)
    say(scene, canary, rollout.version, status)
    assert scene.tick(rollout, after=SOAK).wave == 1


def test_ignored_health_may_be_what_it_is():
    scene, rollout, canary = gated(HealthGate.IGNORED)
    say(scene, canary, rollout.version, "failing")
    assert scene.tick(rollout, after=SOAK).wave == 2


def test_health_of_another_version_counts_for_nothing():
    scene, rollout, canary = gated(HealthGate.REQUIRED)
    say(scene, canary, scene.first)
    assert scene.tick(rollout, after=SOAK).wave == 1


def test_a_report_about_a_newer_version_is_no_proof():
    scene, rollout, canary = gated(HealthGate.IGNORED)
    StackReport.objects.filter(agent=canary).update(sequence_id=rollout.version_id + 1)
    assert scene.tick(rollout, after=SOAK).wave == 1


def test_the_soak_begins_with_the_later_of_success_and_health():
    scene, rollout, canary = gated(HealthGate.REQUIRED)
    scene.ahead += SOAK
    say(scene, canary, rollout.version)
    assert scene.tick(rollout, after=SOAK - SECOND).wave == 1
    assert scene.tick(rollout, after=SECOND).wave == 2


def test_health_that_broke_meanwhile_begins_the_soak_anew():
    scene, rollout, canary = gated(HealthGate.IF_REPORTED)
    for status in ("healthy", "degraded", "healthy"):
        scene.ahead += timedelta(seconds=20)
        say(scene, canary, rollout.version, status)
    assert scene.tick(rollout, after=SOAK - SECOND).wave == 1


def test_stale_health_is_no_health():
    scene, rollout, canary = gated(HealthGate.IF_REPORTED)
    say(scene, canary, rollout.version)
    assert scene.tick(rollout, after=timedelta(hours=1)).wave == 1


def test_who_has_proven_it_stays_so_when_its_health_grows_old():
    scene = make_scene(wave("both", count=2, health=HealthGate.REQUIRED), wave())
    rollout = scene.start()
    early, late = scene.holders(rollout.version)
    make_event(early, rollout.version)
    say(scene, early, rollout.version)
    rollout = scene.tick(rollout, after=SOAK)
    assert [member.agent for member in RolloutMember.objects.filter(proven_at__isnull=False)] == [early]
    scene.ahead += timedelta(hours=1)
    make_event(late, rollout.version)
    say(scene, late, rollout.version)
    assert scene.tick(rollout, after=SOAK).wave == 2


def test_who_has_proven_it_and_fails_later_counts_as_failing():
    scene, rollout, canary = gated(HealthGate.IGNORED)
    rollout = scene.tick(rollout, after=SOAK)
    make_event(canary, rollout.version, "FAILURE", "out of memory")
    assert scene.tick(rollout).state == "paused"
