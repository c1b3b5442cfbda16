"""Workers, publishers, agents and freezes at the same rollout at once."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from agents.models import VersionRelease
from agents.services.agents import delete_agent, lock_agent
from rollouts.models import Freeze, Rollout, RolloutMember, RolloutState, RolloutWave
from rollouts.services import releasing
from rollouts.services.control import pause
from rollouts.services.endings import forget_deleted_members
from rollouts.services.freezes import begin_freeze, lift_freeze, thaw_stacks
from rollouts.services.rollbacks import roll_back
from rollouts.services.ticking import tick, tick_due
from tests.factories import make_event, manifest
from tests.support.events import recorded_events
from tests.support.rollouts import ADMIN, SOAK, make_scene, state_of, wave
from tests.support.threads import together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 5


def ticking(scene, rollout, *, ahead=timedelta(0)):
    return lambda: tick(rollout_id=rollout.pk, now=scene.now + ahead)


def delete(agent):
    with transaction.atomic():
        delete_agent(agent=lock_agent(agent.pk), actor=ADMIN)


def test_two_workers_release_each_wave_once():
    scene = make_scene(wave("canary", count=1), wave("half", percent=50), wave(), agents=9)
    with recorded_events() as events:
        scene.publish()
        rollout = Rollout.objects.get()
        together(*[ticking(scene, rollout)] * 3)
        for number in (2, 3):
            scene.report(scene.holders(rollout.version), rollout.version)
            scene.ahead += SOAK
            together(*[ticking(scene, rollout)] * 3)
            assert scene.again(rollout).wave == number
        scene.report(scene.holders(rollout.version), rollout.version)
        scene.ahead += SOAK
        together(*[ticking(scene, rollout)] * 3)
    assert state_of(rollout) == RolloutState.SUCCEEDED
    sizes = [RolloutMember.objects.filter(wave=number).count() for number in (1, 2, 3)]
    assert sizes == [1, 4, 4]
    kinds = [str(event.kind) for event in events]
    assert kinds.count("rollout.wave_released") == 3
    assert kinds.count("rollout.wave_proven") == 3
    assert kinds.count("rollout.succeeded") == 1


def test_a_due_rollout_is_claimed_by_one_worker():
    scene = make_scene()
    scene.publish()
    now = scene.now
    assert sum(together(*[partial(tick_due, now=now)] * 4)) == 1


def test_reports_and_ticks_end_in_a_proof():
    scene = make_scene(wave(soak_seconds=0), agents=6)
    rollout = scene.start()

    def report(agent):
        make_event(agent, rollout.version)

    def keep_ticking():
        for _ in range(ROUNDS):
            tick(rollout_id=rollout.pk, now=scene.now + timedelta(seconds=1))

    together(*(partial(report, agent) for agent in scene.agents), keep_ticking, keep_ticking)
    assert scene.tick(rollout, after=timedelta(seconds=1)).state == RolloutState.SUCCEEDED


def test_a_publish_beside_a_tick_leaves_one_rollout_running():
    scene = make_scene()
    for number in range(ROUNDS):
        rollout = scene.start(f"a: {number}")
        scene.report(scene.holders(rollout.version), rollout.version)
        scene.ahead += SOAK
        together(ticking(scene, rollout), partial(scene.publish, f"b: {number}"))
        assert state_of(rollout) == RolloutState.SUPERSEDED
        (running,) = Rollout.objects.running()
        assert running.version.yaml_content == manifest(f"b: {number}")


def test_a_pause_beside_a_tick_is_final():
    scene = make_scene()
    rollout = scene.start()
    scene.report(scene.holders(rollout.version), rollout.version)
    scene.ahead += SOAK
    together(
        ticking(scene, rollout),
        lambda: pause(rollout_id=rollout.pk, reason="", actor=ADMIN, now=scene.now),
    )
    row = scene.again(rollout)
    assert row.state == RolloutState.PAUSED
    assert RolloutWave.objects.filter(rollout=rollout, released_at__isnull=False).count() == row.wave


def test_a_freeze_beside_a_release_lets_it_happen_whole_or_not_at_all():
    for _ in range(ROUNDS):
        scene = make_scene(wave(), agents=5)
        scene.publish()
        rollout = Rollout.objects.get(stack=scene.stack)
        freeze, _ = together(
            partial(
                begin_freeze,
                scope=Freeze.Scope.GENERATOR,
                generator_id=scene.stack.generator_id,
                reason="x",
                actor=ADMIN,
                now=scene.now,
            ),
            ticking(scene, rollout),
        )
        released = VersionRelease.objects.filter(version=rollout.version).count()
        row = scene.again(rollout)
        assert (row.wave, released) in {(0, 0), (1, row.members.count())}
        scene.tick(rollout)
        assert VersionRelease.objects.filter(version=rollout.version).count() == released
        assert freeze.lifted_at is None


def test_an_agent_that_is_deleted_while_its_wave_is_released_is_not_waited_for(monkeypatch):
    scene = make_scene(wave(), agents=3)
    scene.publish()
    rollout = Rollout.objects.get()
    gone, *others = scene.agents
    absent = releasing._absent

    def delete_meanwhile(*arguments):
        """The wave has chosen its members, and none of them is stored."""
        together(partial(delete, gone))
        return absent(*arguments)

    monkeypatch.setattr(releasing, "_absent", delete_meanwhile)
    scene.tick(rollout)
    monkeypatch.undo()
    forget_deleted_members(now=scene.now)
    scene.report(others, rollout.version)
    assert scene.tick(rollout, after=SOAK).state == RolloutState.SUCCEEDED


def test_publishing_beside_a_lift_leaves_nothing_frozen():
    scene = make_scene()
    for number in range(ROUNDS):
        freeze = begin_freeze(scope=Freeze.Scope.FLEET, reason="x", actor=ADMIN, now=scene.now)
        scene.publish(f"a: {number}")
        together(
            partial(lift_freeze, freeze_id=freeze.pk, actor=ADMIN, now=scene.now),
            partial(scene.publish, f"b: {number}"),
            partial(thaw_stacks, now=scene.now),
        )
        thaw_stacks(now=scene.now)
        assert not Rollout.objects.filter(state=RolloutState.FROZEN).exists()
        (running,) = Rollout.objects.running()
        assert running.version.yaml_content == manifest(f"b: {number}")


def test_a_rollback_beside_a_tick_beside_a_report_brings_everybody_back():
    scene = make_scene(wave("half", percent=50, soak_seconds=0), wave(soak_seconds=0), agents=6)
    rollout = scene.start()
    holders = scene.holders(rollout.version)
    together(
        lambda: scene.report(holders, rollout.version),
        ticking(scene, rollout, ahead=timedelta(seconds=1)),
        lambda: roll_back(rollout_id=rollout.pk, reason="broken", actor=ADMIN, now=scene.now),
    )
    assert state_of(rollout) == RolloutState.ROLLED_BACK
    assert scene.holders(rollout.version) == []
