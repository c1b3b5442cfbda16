"""What a newer version does to the rollout under way: it takes its place, or waits for its end."""

import pytest

from agents.models import HoldReason
from rollouts.models import Rollout, RolloutState
from rollouts.services.control import abort, pause
from rollouts.strategies import OnNewer
from stacks.services import PublishOptions
from tests.support.rollouts import ADMIN, make_scene, state_of

pytestmark = pytest.mark.django_db

PAST = PublishOptions(strategy="none", reason="an emergency")


def test_a_newer_version_supersedes_and_the_canary_keeps_what_it_has():
    scene = make_scene()
    older = scene.start("a: 2")
    canary = scene.holders(older.version)
    scene.publish("a: 3")
    assert state_of(older) == RolloutState.SUPERSEDED
    assert scene.holders(older.version) == canary
    assert older.version.holds.filter(reason=HoldReason.ROLLOUT).exists()


def test_the_newer_one_remembers_what_was_before_both():
    scene = make_scene()
    older = scene.start("a: 2")
    newer = scene.start("a: 3")
    assert newer.previous == scene.first
    assert newer.chain_id == older.chain_id == older.pk


def test_success_of_the_newer_one_ends_the_holds_of_older_ones():
    scene = make_scene()
    older = scene.start("a: 2")
    scene.prove(scene.prove(scene.start("a: 3")))
    assert not older.version.holds.exists()


def test_a_version_past_the_strategy_supersedes_and_is_for_everybody():
    scene = make_scene()
    older = scene.start("a: 2")
    version = scene.publish("a: 3", options=PAST)
    assert state_of(older) == RolloutState.SUPERSEDED
    assert scene.holders(version) == scene.agents
    assert not Rollout.objects.filter(version=version).exists()


@pytest.fixture
def queueing():
    return make_scene(on_newer=OnNewer.QUEUE)


def test_a_queued_rollout_waits_for_the_end_of_the_one_before(queueing):
    first = queueing.start("a: 2")
    second = Rollout.objects.get(version=queueing.publish("a: 3"))
    assert (state_of(first), second.state) == (RolloutState.PROGRESSING, RolloutState.QUEUED)
    queueing.prove(queueing.prove(first))
    second = queueing.again(second)
    assert (second.state, second.previous) == (RolloutState.PROGRESSING, first.version)


def test_only_the_newest_is_queued(queueing):
    queueing.start("a: 2")
    second = Rollout.objects.get(version=queueing.publish("a: 3"))
    third = Rollout.objects.get(version=queueing.publish("a: 4"))
    assert (state_of(second), state_of(third)) == (RolloutState.SUPERSEDED, RolloutState.QUEUED)


def test_aborting_lets_the_queued_one_begin(queueing):
    first = queueing.start("a: 2")
    second = Rollout.objects.get(version=queueing.publish("a: 3"))
    abort(rollout_id=first.pk, reason="no", actor=ADMIN, now=queueing.now)
    assert state_of(second) == RolloutState.PROGRESSING


def test_a_paused_rollout_lets_newer_ones_pass(queueing):
    first = queueing.start("a: 2")
    pause(rollout_id=first.pk, reason="", actor=ADMIN, now=queueing.now)
    second = Rollout.objects.get(version=queueing.publish("a: 3"))
    assert (state_of(first), second.state) == (RolloutState.SUPERSEDED, RolloutState.PROGRESSING)


def test_a_version_past_the_strategy_passes_the_queue_too(queueing):
    queueing.start("a: 2")
    queued = Rollout.objects.get(version=queueing.publish("a: 3"))
    version = queueing.publish("a: 4", options=PAST)
    assert state_of(queued) == RolloutState.SUPERSEDED
    assert queueing.holders(version) == queueing.agents
