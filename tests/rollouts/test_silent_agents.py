"""Members that are silent or inactive when their wave is released are deferred, or waited for."""

from datetime import timedelta

import pytest

from agents.models import AgentHeartbeat
from rollouts.models import RolloutMember, RolloutState
from rollouts.services.control import pause
from rollouts.strategies import SilentAgents
from tests.factories import make_agent
from tests.support.rollouts import ADMIN, SOAK, make_scene, wave

pytestmark = pytest.mark.django_db


def hear(scene, *agents):
    AgentHeartbeat.objects.filter(agent__in=agents).update(last_heartbeat=scene.now)


def silence(scene, *agents):
    last = scene.now - timedelta(days=1)
    AgentHeartbeat.objects.filter(agent__in=agents).update(last_heartbeat=last)


@pytest.fixture
def scene():
    """Two agents in one wave, the second silent."""
    made = make_scene(wave(), agents=2)
    hear(made, made.agents[0])
    silence(made, made.agents[1])
    return made


def test_a_silent_member_does_not_get_the_version_and_is_not_waited_for(scene):
    rollout = scene.start()
    heard, silent = scene.agents
    assert scene.holders(rollout.version) == [heard]
    assert RolloutMember.objects.get(agent=silent).is_deferred
    assert scene.prove(rollout).state == RolloutState.SUCCEEDED


def test_an_inactive_member_is_deferred_too(scene):
    idle = make_agent(labels=["app"])[0]
    scene.agents.append(idle)
    scene.start()
    assert RolloutMember.objects.get(agent=idle).is_deferred


def test_an_agent_that_was_never_heard_is_new_and_counts(scene):
    new = make_agent(active=True, labels=["app"])[0]
    scene.agents.append(new)
    rollout = scene.start()
    assert new in scene.holders(rollout.version)


def test_who_comes_back_gets_the_version_and_counts(scene):
    rollout = scene.start()
    hear(scene, *scene.agents)
    rollout = scene.tick(rollout)
    assert scene.holders(rollout.version) == scene.agents
    scene.report(scene.agents[:1], rollout.version)
    assert scene.tick(rollout, after=SOAK).state == RolloutState.PROGRESSING


def test_who_comes_back_to_a_stopped_rollout_gets_nothing(scene):
    rollout = scene.start()
    pause(rollout_id=rollout.pk, reason="", actor=ADMIN, now=scene.now)
    hear(scene, *scene.agents)
    assert scene.holders(scene.tick(rollout).version) == scene.agents[:1]


def test_nobody_counted_is_no_proof(scene):
    silence(scene, *scene.agents)
    rollout = scene.start()
    assert scene.holders(rollout.version) == []
    assert scene.tick(rollout, after=timedelta(hours=23)).state == RolloutState.PROGRESSING
    assert scene.tick(rollout, after=timedelta(hours=1)).cause == "deadline_passed"


def test_who_falls_silent_after_the_release_stays_counted(scene):
    hear(scene, *scene.agents)
    rollout = scene.start()
    scene.report(scene.agents[:1], rollout.version)
    silence(scene, scene.agents[1])
    assert scene.tick(rollout, after=timedelta(hours=23)).state == RolloutState.PROGRESSING
    assert scene.tick(rollout, after=timedelta(hours=1)).state == RolloutState.PAUSED


def test_required_agents_are_waited_for_and_get_the_version_at_once():
    scene = make_scene(wave(), agents=2, silent=SilentAgents.REQUIRED)
    silence(scene, *scene.agents)
    rollout = scene.start()
    assert scene.holders(rollout.version) == scene.agents
