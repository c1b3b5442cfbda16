"""Waves that a person releases."""

from dataclasses import replace
from uuid import uuid4

import pytest

from core.events import Actor
from paks.actors import ActorType
from rollouts.errors import NotAnotherPerson, RolloutStateConflict, WaveNotWaiting
from rollouts.models import RolloutState, RolloutWave
from rollouts.services.control import abort, approve
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db

OTHER = replace(ADMIN, label="bernd")


def gated(**rules):
    """A rollout whose first wave is proven and whose second wants approval."""
    scene = make_scene(wave("canary", count=1), wave("rest", needs_approval=True), **rules)
    return scene, scene.prove(scene.start())


def agree(scene, rollout, number=2, actor=OTHER):
    return approve(rollout_id=rollout.pk, wave=number, reason="fine", actor=actor, now=scene.now)


def test_the_wave_waits_until_somebody_approves():
    scene, rollout = gated()
    assert (rollout.state, rollout.wave) == (RolloutState.WAITING_FOR_APPROVAL, 1)
    agree(scene, rollout)
    rollout = scene.tick(rollout)
    assert (rollout.state, rollout.wave) == (RolloutState.PROGRESSING, 2)
    row = RolloutWave.objects.get(rollout=rollout, number=2)
    assert (row.approved_by, row.approval_reason) == ("bernd", "fine")


@pytest.mark.parametrize("number", [0, 1, 3])
def test_another_wave_than_the_one_that_waits_is_refused(number):
    scene, rollout = gated()
    with pytest.raises(WaveNotWaiting):
        agree(scene, rollout, number)


def test_a_wave_that_does_not_wait_yet_is_refused():
    scene = make_scene(wave("canary", count=1), wave("rest", needs_approval=True))
    with pytest.raises(WaveNotWaiting):
        agree(scene, scene.start())


def test_a_wave_is_approved_once():
    scene, rollout = gated()
    agree(scene, rollout)
    with pytest.raises(WaveNotWaiting):
        agree(scene, rollout)


def test_a_rollout_that_has_ended_is_refused():
    scene, rollout = gated()
    abort(rollout_id=rollout.pk, reason="no", actor=ADMIN, now=scene.now)
    with pytest.raises(RolloutStateConflict):
        agree(scene, rollout)


def test_a_failure_stops_a_rollout_that_waits_for_approval():
    scene, rollout = gated()
    scene.report(scene.holders(rollout.version), rollout.version, "FAILURE")
    assert scene.tick(rollout).state == RolloutState.PAUSED


def test_the_publisher_may_approve():
    scene, rollout = gated()
    agree(scene, rollout, actor=ADMIN)


def test_the_publisher_may_not_approve_where_the_strategy_wants_another():
    scene, rollout = gated(approval_by_another=True)
    with pytest.raises(NotAnotherPerson):
        agree(scene, rollout, actor=ADMIN)
    agree(scene, rollout, actor=OTHER)


KEY, OTHER_KEY = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("publisher", "approver", "is_same"),
    [
        (Actor(ActorType.ADMIN, key_id=KEY), Actor(ActorType.ADMIN, key_id=KEY), True),
        (Actor(ActorType.ADMIN, key_id=KEY), Actor(ActorType.ADMIN, key_id=OTHER_KEY), False),
        (Actor(ActorType.ADMIN, key_id=KEY), Actor(ActorType.ADMIN, label="astrid"), False),
        (Actor(ActorType.ADMIN, key_id=KEY, label="a"), Actor(ActorType.ADMIN, key_id=KEY, label="b"), True),
    ],
)
def test_a_publisher_is_known_by_key_or_by_name(publisher, approver, is_same):
    scene = make_scene(wave("canary", count=1), wave("rest", needs_approval=True), approval_by_another=True)
    rollout = scene.prove(scene.start(actor=publisher))
    if is_same:
        with pytest.raises(NotAnotherPerson):
            agree(scene, rollout, actor=approver)
    else:
        agree(scene, rollout, actor=approver)


def test_a_generator_is_the_publisher_whichever_key_it_uses():
    scene = make_scene(wave("canary", count=1), wave("rest", needs_approval=True), approval_by_another=True)
    generator = Actor(ActorType.GENERATOR, id=scene.stack.generator_id, key_id=KEY)
    rollout = scene.prove(scene.start(actor=generator))
    with pytest.raises(NotAnotherPerson):
        agree(scene, rollout, actor=replace(generator, key_id=OTHER_KEY))
