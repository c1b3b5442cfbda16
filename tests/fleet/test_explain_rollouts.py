"""The links "rollout" and "freeze" of an explanation, and agents that must remove what they no longer serve."""

from datetime import timedelta

import pytest

from agents.models import AgentHeartbeat
from rollouts.models import Freeze
from rollouts.services.control import abort
from rollouts.services.freezes import begin_freeze
from rollouts.services.rollbacks import roll_back
from stacks.services import PublishOptions
from tests.factories import make_event, make_generator
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db


class Asker:
    def __init__(self, admin, scene):
        self._admin, self.scene = admin, scene

    def ask(self, agent):
        path = f"/agents/{agent.pk}/explain?stack_id={self.scene.stack.pk}"
        answer = self._admin.get(path).json()
        return answer | {check["check"]: check for check in answer["checks"]}


@pytest.fixture
def asker(admin):
    scene = make_scene()
    AgentHeartbeat.objects.update(last_heartbeat=scene.now)
    scene.report(scene.agents, scene.first)
    return Asker(admin, scene)


def canary_and_other(scene, rollout):
    (canary,) = scene.holders(rollout.version)
    return canary, next(agent for agent in scene.agents if agent != canary)


def test_without_a_rollout_and_a_freeze_nothing_is_held_back(asker):
    answer = asker.ask(asker.scene.agents[0])
    assert answer["verdict"] == "deployed"
    assert [answer[name]["status"] for name in ("freeze", "rollout")] == ["ok", "ok"]


def test_an_agent_of_a_later_wave_is_held_back_with_what_the_rollout_waits_for(asker):
    rollout = asker.scene.start()
    canary, other = canary_and_other(asker.scene, rollout)
    answer = asker.ask(other)
    assert answer["verdict"] == "held_back"
    assert answer["conclusion"] == answer["rollout"]["sentence"]
    expected = (
        f"Held back: wave 1 of 2 is released. Wave 1 waits for 1 of 1 agent, the first is {canary.name}"
    )
    assert answer["conclusion"].startswith(expected)
    assert answer["rollout"]["details"] == {
        "sequence_id": rollout.version_id,
        "reasons": ["rollout"],
        "rollout_id": str(rollout.pk),
        "state": "progressing",
        "wave": 1,
        "wave_count": 2,
    }
    assert answer["offer"]["details"]["sequence_id"] == asker.scene.first.pk


def test_an_agent_of_a_released_wave_is_told_which(asker):
    rollout = asker.scene.start()
    canary, _ = canary_and_other(asker.scene, rollout)
    answer = asker.ask(canary)
    assert answer["verdict"] == "pending"
    expected = f"Version #{rollout.version_id} came to the agent with wave 1 of 2."
    assert answer["rollout"]["sentence"] == expected


def test_a_deferred_agent_gets_it_when_it_is_heard_again(admin):
    scene = make_scene(wave(), agents=2)
    AgentHeartbeat.objects.update(last_heartbeat=scene.now)
    silent = scene.agents[0]
    AgentHeartbeat.objects.filter(agent=silent).update(last_heartbeat=scene.now - timedelta(days=1))
    scene.start()
    answer = Asker(admin, scene).ask(silent)
    assert answer["verdict"] == "agent_silent"
    assert "when the agent is heard again" in answer["rollout"]["sentence"]


def test_after_an_aborted_rollout_the_rest_is_still_held_back(asker):
    rollout = asker.scene.start()
    _, other = canary_and_other(asker.scene, rollout)
    abort(rollout_id=rollout.pk, reason="wrong", actor=ADMIN, now=asker.scene.now)
    answer = asker.ask(other)
    assert (answer["verdict"], answer["rollout"]["details"]["state"]) == ("held_back", "aborted")
    assert answer["conclusion"].endswith("Aborted by astrid: wrong.")


def test_a_rollback_is_held_back_from_nobody(asker):
    rollout = asker.scene.start()
    _, other = canary_and_other(asker.scene, rollout)
    roll_back(rollout_id=rollout.pk, reason="wrong", actor=ADMIN, now=asker.scene.now)
    assert asker.ask(other)["verdict"] == "deployed"


def test_a_freeze_is_told_and_holds_only_newer_versions(asker):
    agent = asker.scene.agents[0]
    freeze = begin_freeze(scope=Freeze.Scope.FLEET, reason="Black Friday", actor=ADMIN, now=asker.scene.now)
    answer = asker.ask(agent)
    assert (answer["verdict"], answer["freeze"]["status"]) == ("deployed", "ok")
    said = "Frozen by astrid: Black Friday."
    assert answer["freeze"]["sentence"] == f"{said} What the agent should have stays as it is."
    asker.scene.publish()
    answer = asker.ask(agent)
    assert (answer["verdict"], answer["freeze"]["details"]["freeze_id"]) == ("frozen", str(freeze.pk))
    assert answer["freeze"]["sentence"].startswith(said)
    assert answer["conclusion"] == "A newer version waits for the end of a freeze."


def test_a_frozen_version_without_a_strategy_is_held_back(asker):
    begin_freeze(scope=Freeze.Scope.FLEET, reason="Black Friday", actor=ADMIN, now=asker.scene.now)
    version = asker.scene.publish(options=PublishOptions(strategy="none", reason="urgent"))
    answer = asker.ask(asker.scene.agents[0])
    assert answer["verdict"] == "frozen"
    assert answer["rollout"]["sentence"] == f"Version #{version.pk} is held back until the end of a freeze."


def test_content_that_was_rolled_back_waits_for_a_person(admin):
    generator, owner = make_generator()
    scene = make_scene(generator=generator)
    AgentHeartbeat.objects.update(last_heartbeat=scene.now)
    rollout = scene.start()
    roll_back(rollout_id=rollout.pk, reason="wrong", actor=ADMIN, now=scene.now)
    body = {"yaml_content": rollout.version.yaml_content}
    assert owner.post(f"/stacks/{scene.stack.pk}/deployment-objects", body).status_code == 201
    _, other = canary_and_other(scene, rollout) if scene.holders(rollout.version) else (None, scene.agents[0])
    answer = Asker(admin, scene).ask(other)
    assert answer["verdict"] == "held_back"
    assert "its content was rolled back before" in answer["conclusion"]


def test_an_agent_that_left_must_remove_the_stack(asker, admin):
    agent = asker.scene.agents[0]
    assert admin.delete(f"/agents/{agent.pk}/labels/app").status_code == 204
    answer = asker.ask(agent)
    assert answer["verdict"] == "removal_pending"
    expected = "The agent serves the stack no longer, and must still remove what it deployed of it."
    assert answer["association"]["sentence"] == expected
    assert (answer["offer"]["status"], answer["offer"]["details"]["is_deletion_marker"]) == ("ok", True)


def test_an_agent_that_lost_its_registration_must_remove_the_stack(asker, admin, settings):
    settings.REQUIRE_REGISTRATION = True
    agent, generator = asker.scene.agents[0], asker.scene.stack.generator
    path, body = f"/generators/{generator.pk}/register", {"agent_id": str(agent.pk)}
    assert admin.post(path, body).status_code == 201
    assert admin.delete(path, body).status_code == 204
    answer = asker.ask(agent)
    assert (answer["verdict"], answer["registration"]["status"]) == ("removal_pending", "ok")


def test_an_agent_that_has_removed_it_is_associated_no_more(asker, admin):
    agent = asker.scene.agents[0]
    admin.delete(f"/agents/{agent.pk}/labels/app")
    (delivery,) = agent.marker_deliveries.select_related("marker")
    make_event(agent, delivery.marker)
    assert asker.ask(agent)["verdict"] == "not_associated"
