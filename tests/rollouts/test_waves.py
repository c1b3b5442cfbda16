"""A version reaches the agents wave by wave, each after the proof of the one before."""

from datetime import timedelta

import pytest

from agents.models import StackReport
from core.labels.services import add_label
from rollouts.models import RolloutMember, RolloutState
from rollouts.services.control import abort
from rollouts.services.person_releases import release_version
from rollouts.strategies import FailureBudget, OnFailure
from tests.factories import make_agent, make_event, make_target
from tests.support.rollouts import ADMIN, SOAK, make_scene, wave

pytestmark = pytest.mark.django_db


def test_a_published_version_is_for_nobody_before_the_worker_looks():
    scene = make_scene()
    version = scene.publish()
    assert scene.holders(version) == []
    assert scene.holders(scene.first) == scene.agents


def test_the_first_wave_is_released_to_one_agent():
    scene = make_scene()
    rollout = scene.start()
    assert (rollout.state, rollout.wave, rollout.previous) == (RolloutState.PROGRESSING, 1, scene.first)
    assert len(scene.holders(rollout.version)) == 1


def test_success_alone_is_no_proof_before_the_soak():
    scene = make_scene()
    rollout = scene.start()
    scene.report(scene.holders(rollout.version), rollout.version)
    assert scene.tick(rollout, after=SOAK - timedelta(seconds=5)).wave == 1
    assert scene.tick(rollout, after=timedelta(seconds=5)).wave == 2
    assert scene.holders(rollout.version) == scene.agents


def test_old_good_news_about_another_version_is_no_proof():
    scene = make_scene()
    scene.report(scene.agents, scene.first)
    rollout = scene.start()
    assert scene.tick(rollout, after=timedelta(hours=1)).wave == 1


def test_a_soak_begins_anew_after_a_failure():
    scene = make_scene(wave("canary", count=1, max_failures=FailureBudget(5)), wave())
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    make_event(canary, rollout.version, "SUCCESS")
    StackReport.objects.filter(agent=canary).update(since=scene.now - SOAK)
    make_event(canary, rollout.version, "FAILURE", "broken")
    make_event(canary, rollout.version, "SUCCESS")
    assert scene.tick(rollout, after=SOAK - timedelta(seconds=5)).wave == 1


def test_the_proof_of_the_last_wave_gives_the_version_to_everybody():
    scene = make_scene()
    rollout = scene.prove(scene.start())
    assert (rollout.state, rollout.wave) == (RolloutState.PROGRESSING, 2)
    rollout = scene.prove(rollout)
    assert rollout.state == RolloutState.SUCCEEDED
    assert rollout.version.holds.count() == 0
    newcomer = make_agent(active=True, labels=["app"])[0]
    scene.agents.append(newcomer)
    assert scene.holders(rollout.version) == scene.agents


def test_a_failure_beyond_the_budget_pauses():
    scene = make_scene()
    rollout = scene.start()
    scene.report(scene.holders(rollout.version), rollout.version, "FAILURE")
    rollout = scene.tick(rollout)
    assert (rollout.state, rollout.cause) == (RolloutState.PAUSED, "too_many_failures")
    assert len(scene.holders(rollout.version)) == 1


def test_an_agent_in_no_wave_cannot_fail_for_one():
    scene = make_scene()
    rollout = scene.start()
    others = [agent for agent in scene.agents if agent not in scene.holders(rollout.version)]
    scene.report(others, rollout.version, "FAILURE")
    assert scene.prove(rollout).wave == 2


def test_an_agent_with_several_ties_counts_once():
    scene = make_scene(wave("canary", count=2), wave(), agents=3)
    add_label(owner=scene.stack, label="also", actor=ADMIN)
    for agent in scene.agents:
        make_target(agent, scene.stack)
        add_label(owner=agent, label="also", actor=ADMIN)
    rollout = scene.start()
    first, second = scene.holders(rollout.version)
    scene.report([first], rollout.version)
    assert scene.tick(rollout, after=SOAK).wave == 1
    scene.report([second], rollout.version)
    assert scene.tick(rollout, after=SOAK).wave == 2


def test_a_failure_rolls_back_where_the_strategy_says_so():
    scene = make_scene(on_failure=OnFailure.ROLL_BACK)
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    scene.report([canary], rollout.version, "FAILURE")
    rollout = scene.tick(rollout)
    assert rollout.state == RolloutState.ROLLED_BACK
    newest = scene.stack.deployment_objects.latest("sequence_id")
    assert (newest.yaml_content, scene.holders(newest)) == (scene.first.yaml_content, [canary])


def test_members_of_a_wave_are_stored_when_it_is_released():
    scene = make_scene()
    rollout = scene.start()
    assert RolloutMember.objects.filter(rollout=rollout).count() == 1
    scene.prove(rollout)
    assert RolloutMember.objects.filter(rollout=rollout).count() == 4


def test_labels_choose_who_is_first():
    scene = make_scene(wave("eu", labels=("eu",)), wave())
    agent = make_agent(active=True, labels=["app", "eu"])[0]
    scene.agents.append(agent)
    rollout = scene.start()
    assert scene.holders(rollout.version) == [agent]


def test_a_wave_that_matches_nobody_passes():
    scene = make_scene(wave("eu", labels=("eu",)), wave())
    rollout = scene.start()
    assert rollout.wave == 2
    assert scene.holders(rollout.version) == scene.agents


def test_repeated_publishing_chooses_the_same_canary():
    scene = make_scene(agents=8)
    canaries = set()
    for number in range(5):
        rollout = scene.start(f"a: {number + 2}")
        canaries.add(scene.holders(rollout.version)[0].name)
    assert len(canaries) == 1


def test_a_version_that_is_let_go_after_an_abort_has_the_same_canary():
    scene = make_scene(agents=8)
    aborted = scene.start()
    (canary,) = scene.holders(aborted.version)
    abort(rollout_id=aborted.pk, reason="no", actor=ADMIN, now=scene.now)
    again = release_version(version=aborted.version, reason="yes", actor=ADMIN, now=scene.now)
    assert again is not None
    scene.tick(again)
    assert scene.holders(aborted.version) == [canary]


def test_the_publisher_is_noted():
    scene = make_scene()
    rollout = scene.start()
    assert (rollout.publisher_role, rollout.publisher_label) == ("admin", ADMIN.label)
