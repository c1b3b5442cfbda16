"""What was rolled back does not come again by itself."""

import pytest

from agents.errors import VersionSuperseded
from agents.models import HoldReason
from core.events import Actor
from paks.actors import ActorType
from rollouts.errors import ReasonRequired, VersionNotHeld
from rollouts.models import Rollout, RolloutState
from rollouts.services.control import abort
from rollouts.services.person_releases import release_version
from rollouts.services.rollbacks import roll_back
from rollouts.services.strategies import remove_stack_strategy
from tests.support.events import recorded_audit
from tests.support.rollouts import ADMIN, make_scene, state_of

pytestmark = pytest.mark.django_db

BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata:\n  image: bad\n"
# The same documents, written otherwise.
SAME = "data: {image: 'bad'}\nkind: ConfigMap\nmetadata:\n  name: app\napiVersion: v1\n"


@pytest.fixture
def scene():
    """The bad content has been rolled back."""
    made = make_scene()
    roll_back(rollout_id=made.start(BAD).pk, reason="broken", actor=ADMIN, now=made.now)
    return made


def by_generator(scene, content):
    actor = Actor(type=ActorType.GENERATOR, id=scene.stack.generator_id)
    return scene.publish(content, actor=actor)


def reasons(version):
    return set(version.holds.values_list("reason", flat=True))


def let_in(scene, version, reason="it was the network"):
    return release_version(version=version, reason=reason, actor=ADMIN, now=scene.now)


@pytest.mark.parametrize("content", [BAD, "# commit 4f2a\n" + BAD, SAME])
def test_it_is_held_when_a_generator_publishes_it_again(scene, content):
    version = by_generator(scene, content)
    assert reasons(version) == {HoldReason.ROLLED_BACK_CONTENT}
    assert not Rollout.objects.filter(version=version).exists()


def test_other_content_starts_its_rollout(scene):
    version = by_generator(scene, BAD.replace("bad", "good"))
    assert reasons(version) == {HoldReason.ROLLOUT}


def test_a_person_who_publishes_it_knows_why(scene):
    assert reasons(scene.publish(BAD)) == {HoldReason.ROLLOUT}


def test_it_supersedes_nothing(scene):
    fix = scene.start("fix: 1")
    by_generator(scene, BAD)
    assert state_of(fix) == RolloutState.PROGRESSING


def test_the_content_of_the_rollback_may_come_again(scene):
    assert reasons(by_generator(scene, scene.first.yaml_content)) == {HoldReason.ROLLOUT}


def test_a_person_lets_it_in_and_its_rollout_starts(scene):
    version = by_generator(scene, BAD)
    with recorded_audit() as rows:
        rollout = let_in(scene, version)
    assert rollout.state == RolloutState.PROGRESSING
    assert reasons(version) == {HoldReason.ROLLOUT}
    assert [row.details["reason"] for row in rows if row.action == "deployment.released"] == [
        "it was the network"
    ]


def test_what_a_person_has_let_in_is_held_no_more(scene):
    let_in(scene, by_generator(scene, BAD))
    assert reasons(by_generator(scene, BAD)) == {HoldReason.ROLLOUT}


def test_without_a_strategy_it_is_for_everybody_at_once(scene):
    version = by_generator(scene, BAD)
    remove_stack_strategy(stack=scene.stack, reason="a test", actor=ADMIN)
    assert let_in(scene, version) is None
    assert scene.holders(version) == scene.agents


def test_what_has_reached_everybody_may_come_again(scene):
    scene.prove(scene.prove(scene.start(BAD)))
    assert reasons(by_generator(scene, BAD)) == {HoldReason.ROLLOUT}


def test_a_version_older_than_one_under_way_stays_held(scene):
    version = by_generator(scene, BAD)
    scene.start("fix: 1")
    with pytest.raises(VersionSuperseded):
        let_in(scene, version)


def test_a_version_older_than_one_for_everybody_is_held_no_more_and_cannot_be_released(scene):
    version = by_generator(scene, BAD)
    scene.prove(scene.prove(scene.start("fix: 1")))
    with pytest.raises(VersionNotHeld):
        let_in(scene, version)


def test_a_version_whose_rollout_is_under_way_is_not_released(scene):
    rollout = scene.start("fix: 1")
    with pytest.raises(VersionNotHeld):
        let_in(scene, rollout.version)


def test_a_version_whose_rollout_was_aborted_can_be_released(scene):
    rollout = scene.start("fix: 1")
    abort(rollout_id=rollout.pk, reason="no", actor=ADMIN, now=scene.now)
    assert let_in(scene, rollout.version).state == RolloutState.PROGRESSING


def test_a_reason_is_wanted(scene):
    with pytest.raises(ReasonRequired):
        let_in(scene, by_generator(scene, BAD), reason="")
