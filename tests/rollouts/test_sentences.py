"""What a rollout waits for, in one sentence."""

from datetime import timedelta

import pytest

from agents.models import AgentHeartbeat
from core.events import SYSTEM
from core.labels.services import remove_label
from rollouts.models import Freeze, Rollout
from rollouts.sentences import held_back, waits_for
from rollouts.services.control import abort, pause, skip
from rollouts.services.freezes import begin_freeze
from rollouts.services.rollbacks import roll_back
from rollouts.strategies import OnNewer
from tests.factories import make_event
from tests.support.rollouts import ADMIN, SOAK, make_scene, wave

pytestmark = pytest.mark.django_db


def said(scene, rollout):
    return waits_for(scene.again(rollout), now=scene.now)


def test_who_is_waited_for():
    scene = make_scene()
    rollout = scene.start()
    (canary,) = scene.holders(rollout.version)
    sentence = said(scene, rollout)
    assert sentence.startswith(f"Wave 1 waits for 1 of 1 agent, the first is {canary.name}, until ")


def test_a_deadline_of_tomorrow_is_told_with_its_date():
    scene = make_scene(wave())
    rollout = scene.start()
    deadline = rollout.waves.get(number=1).running_since + timedelta(days=1)
    late_the_day_before = (deadline - timedelta(days=1)).replace(hour=23, minute=59)
    assert f"until {deadline:%Y-%m-%d %H:%M} UTC." in waits_for(rollout, now=late_the_day_before)


def test_since_when_it_is_silent():
    scene = make_scene(wave(), agents=3)
    rollout = scene.start()
    make_event(scene.agents[2], rollout.version)
    scene.tick(rollout, after=SOAK)
    last = scene.now - timedelta(hours=2)
    AgentHeartbeat.objects.filter(agent=scene.agents[0]).update(last_heartbeat=last)
    assert f"waits for 2 of 3 agents, the first is {scene.agents[0].name}, silent since {last:%H:%M}" in said(
        scene, rollout
    )


def test_all_are_deferred():
    scene = make_scene(wave(), agents=2)
    AgentHeartbeat.objects.update(last_heartbeat=scene.now - timedelta(days=1))
    assert (
        said(scene, scene.start())
        == "Wave 1 waits for any of its 2 agents: all were silent or inactive when it was released."
    )


def test_all_have_left():
    scene = make_scene(wave("canary", count=1, checks=("smoke",)), wave(), agents=1)
    rollout = scene.start()
    remove_label(owner=scene.agents[0], label="app", actor=SYSTEM)
    assert said(scene, scene.tick(rollout)).startswith("Wave 1 waits for the check smoke, until ")
    plain = make_scene(agents=1)
    rollout = plain.start()
    remove_label(owner=plain.agents[0], label="app", actor=SYSTEM)
    assert said(plain, rollout) == "All agents of wave 1 have left the stack."


def test_a_check():
    scene = make_scene(wave("canary", count=1, checks=("smoke",)), wave())
    rollout = scene.prove(scene.start())
    assert said(scene, rollout).startswith("Wave 1 waits for the check smoke, until ")


def test_an_approval():
    scene = make_scene(wave("canary", count=1), wave("rest", needs_approval=True))
    assert said(scene, scene.prove(scene.start())) == "Wave 2 waits for approval."


def test_the_worker():
    scene = make_scene()
    scene.publish()
    assert said(scene, Rollout.objects.get()) == "Wave 1 is about to be released."


def test_the_rollout_before_it():
    scene = make_scene(on_newer=OnNewer.QUEUE)
    scene.start("a: 2")
    queued = Rollout.objects.get(version=scene.publish("a: 3"))
    assert said(scene, queued) == "Waits for the end of the rollout before it."


def test_a_freeze():
    scene = make_scene()
    rollout = scene.start()
    until = scene.now + timedelta(days=1)
    begin_freeze(scope=Freeze.Scope.FLEET, reason="The sale.", actor=ADMIN, now=scene.now, until=until)
    expected = f"Frozen by astrid until {until:%Y-%m-%d %H:%M} UTC: The sale."
    assert said(scene, rollout) == expected
    assert said(scene, Rollout.objects.get(version=scene.publish("a: 3"))) == expected


def test_why_it_stopped():
    scene = make_scene()
    rollout = scene.start()
    scene.report(scene.holders(rollout.version), rollout.version, "FAILURE")
    scene.tick(rollout)
    assert said(scene, rollout) == "Paused: more agents fail than the strategy allows."


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (pause, "Paused by astrid: let me look."),
        (abort, "Aborted by astrid: let me look."),
        (skip, "Skipped by astrid: let me look."),
    ],
)
def test_who_did_it_and_why(action, sentence):
    scene = make_scene()
    rollout = scene.start()
    action(rollout_id=rollout.pk, reason="let me look.", actor=ADMIN, now=scene.now)
    assert said(scene, rollout) == sentence


def test_who_rolled_it_back():
    scene = make_scene()
    rollout = scene.start()
    roll_back(rollout_id=rollout.pk, reason="a bug", actor=ADMIN, now=scene.now)
    assert said(scene, rollout) == "Rolled back by astrid: a bug."


def test_before_the_first_wave_none_is_released():
    scene = make_scene(wave("canary", count=1, needs_approval=True), wave())
    sentence = held_back(scene.start(), now=scene.now)
    assert sentence == "Held back: none of 2 is released. Wave 1 waits for approval."


def test_why_an_agent_does_not_have_it_yet():
    scene = make_scene()
    rollout = scene.start()
    sentence = held_back(scene.again(rollout), now=scene.now)
    assert sentence.startswith("Held back: wave 1 of 2 is released. Wave 1 waits for 1 of 1 agent")
