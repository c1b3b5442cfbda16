"""Agents that begin or cease to serve the stack while its rollout is under way."""

import pytest
from django.db import transaction

from agents.services.agents import delete_agent, lock_agent
from core.events import SYSTEM
from core.labels.services import remove_label
from rollouts.models import RolloutMember, RolloutState
from tests.factories import make_agent
from tests.support.rollouts import SOAK, make_scene, wave

pytestmark = pytest.mark.django_db


def join(scene, *labels):
    agent = make_agent(active=True, labels=["app", *labels])[0]
    scene.agents.append(agent)
    return agent


def leave(agent):
    remove_label(owner=agent, label="app", actor=SYSTEM)


def test_a_newcomer_has_the_version_that_everybody_should_have():
    scene = make_scene()
    rollout = scene.start()
    newcomer = join(scene)
    scene.tick(rollout)
    assert newcomer in scene.holders(scene.first)


def test_a_newcomer_belongs_to_the_first_unreleased_wave_that_matches():
    scene = make_scene(wave("canary", count=1), wave("eu", labels=("eu",)), wave())
    rollout = scene.start()
    newcomer = join(scene, "eu")
    scene.prove(rollout)
    assert RolloutMember.objects.get(agent=newcomer).wave == 2


def test_a_newcomer_after_the_release_of_the_rest_gets_the_version():
    scene = make_scene()
    rollout = scene.prove(scene.start())
    newcomer = join(scene)
    scene.tick(rollout)
    assert newcomer in scene.holders(rollout.version)
    assert RolloutMember.objects.get(agent=newcomer).wave == 2


def test_who_leaves_is_not_waited_for():
    scene = make_scene(wave(), agents=2)
    rollout = scene.start()
    leave(scene.agents[1])
    scene.report(scene.agents[:1], rollout.version)
    assert scene.tick(rollout, after=SOAK).state == RolloutState.SUCCEEDED


def test_who_is_deleted_is_not_waited_for():
    scene = make_scene(wave(), agents=2)
    rollout = scene.start()
    with transaction.atomic():
        delete_agent(agent=lock_agent(scene.agents[1].pk), actor=SYSTEM)
    scene.report(scene.agents[:1], rollout.version)
    assert scene.tick(rollout, after=SOAK).state == RolloutState.SUCCEEDED


def test_a_wave_that_lost_all_members_takes_the_next_agent():
    scene = make_scene()
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    leave(canary)
    scene.agents.remove(canary)
    rollout = scene.tick(rollout)
    assert rollout.wave == 1
    assert len(scene.holders(rollout.version)) == 1


def test_a_wave_that_lost_the_only_agents_that_match_takes_one_of_a_later_wave():
    scene = make_scene(wave("canary", labels=("canary",)), wave(), agents=3)
    canary = join(scene, "canary")
    rollout = scene.start()
    assert scene.holders(rollout.version) == [canary]
    leave(canary)
    scene.agents.remove(canary)
    rollout = scene.tick(rollout)
    assert rollout.wave == 1
    assert len(scene.holders(rollout.version)) == 1
    assert scene.prove(rollout).wave == 2


def test_a_rollout_whose_agents_all_left_ends():
    scene = make_scene(agents=1)
    rollout = scene.start()
    leave(scene.agents[0])
    assert scene.tick(rollout).state == RolloutState.SUCCEEDED


def test_a_release_outlives_leaving():
    scene = make_scene()
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    leave(canary)
    assert rollout.version.releases.filter(agent=canary).exists()
