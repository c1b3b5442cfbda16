"""While a freeze holds, what agents should have stays as it is."""

from datetime import timedelta
from uuid import uuid4

import pytest

from agents.models import AgentHeartbeat, HoldReason
from agents.unending_holds import unending_holds
from core.labels.services import add_label, remove_label
from rollouts.counts import read_facts
from rollouts.errors import FreezeNotFound, Frozen, InvalidFreeze
from rollouts.models import Freeze, Rollout, RolloutState
from rollouts.services import ticking
from rollouts.services.control import abort, pause, skip
from rollouts.services.freezes import begin_freeze, end_expired_freezes, lift_freeze, thaw_stacks
from rollouts.services.frozen_writes import overriding_freezes
from rollouts.services.rollbacks import roll_back
from rollouts.strategies import OnFailure
from stacks.services import PublishOptions
from tests.factories import make_agent
from tests.support.events import recorded_audit, recorded_events
from tests.support.rollouts import ADMIN, SOAK, make_scene, state_of

pytestmark = pytest.mark.django_db

Scope = Freeze.Scope
PAST = PublishOptions(strategy="none", reason="an emergency")


@pytest.fixture
def scene():
    return make_scene()


def freeze(scene, scope=Scope.FLEET, **fields):
    return begin_freeze(scope=scope, reason="the big sale", actor=ADMIN, now=scene.now, **fields)


def lift(scene, held):
    return lift_freeze(freeze_id=held.pk, actor=ADMIN, now=scene.now)


def reasons(version):
    return set(version.holds.values_list("reason", flat=True))


def test_a_version_is_accepted_and_held(scene):
    freeze(scene)
    before = scene.wanted()
    version = scene.publish()
    assert Rollout.objects.get(version=version).state == RolloutState.FROZEN
    assert reasons(version) == {HoldReason.FREEZE, HoldReason.ROLLOUT}
    assert scene.wanted() == before


def test_a_version_past_the_strategy_is_held_too_and_is_for_everybody_afterwards(scene):
    held = freeze(scene)
    version = scene.publish(options=PAST)
    assert scene.holders(version) == []
    lift(scene, held)
    assert scene.holders(version) == scene.agents


def test_waves_do_not_advance(scene):
    rollout = scene.start()
    held = freeze(scene)
    before = scene.wanted()
    assert scene.prove(rollout).wave == 1
    assert scene.wanted() == before
    lift(scene, held)
    assert scene.tick(rollout).wave == 2


def test_a_freeze_that_begins_after_the_worker_has_read_lets_no_wave_go(scene, monkeypatch):
    version, read = scene.publish(), read_facts

    def read_and_freeze(*arguments, **facts):
        known = read(*arguments, **facts)
        freeze(scene)
        return known

    monkeypatch.setattr(ticking, "read_facts", read_and_freeze)
    assert scene.tick(Rollout.objects.get()).wave == 0
    assert scene.holders(version) == []


def test_deadlines_wait_and_begin_anew(scene):
    rollout = scene.start()
    held = freeze(scene)
    assert scene.tick(rollout, after=timedelta(days=3)).state == RolloutState.PROGRESSING
    lift(scene, held)
    assert scene.tick(rollout, after=timedelta(hours=23)).state == RolloutState.PROGRESSING
    assert scene.tick(rollout, after=timedelta(hours=1)).cause == "deadline_passed"


def test_a_deadline_waits_also_for_a_freeze_that_is_not_lifted_but_covers_the_stack_no_more(scene):
    rollout = scene.start()
    held = freeze(scene, Scope.LABEL, label="eu")
    with overriding_freezes("it moves to another region"):
        add_label(owner=scene.agents[0], label="eu", actor=ADMIN)
        assert scene.tick(rollout, after=timedelta(days=3)).state == RolloutState.PROGRESSING
        remove_label(owner=scene.agents[0], label="eu", actor=ADMIN)
    assert scene.tick(rollout, after=timedelta(hours=23)).state == RolloutState.PROGRESSING
    assert held.lifted_at is None
    assert scene.tick(rollout, after=timedelta(hours=1)).cause == "deadline_passed"


def test_newcomers_and_those_who_come_back_wait(scene):
    rollout = scene.prove(scene.start())
    held = freeze(scene)
    newcomer = make_agent(active=True, labels=["app"])[0]
    scene.agents.append(newcomer)
    scene.tick(rollout)
    assert newcomer not in scene.holders(rollout.version)
    lift(scene, held)
    scene.tick(rollout)
    assert newcomer in scene.holders(rollout.version)


def test_lifting_starts_the_newest_version_and_supersedes_older_ones(scene):
    running = scene.start("a: 2")
    held = freeze(scene)
    older, newest = scene.publish("a: 3"), scene.publish("a: 4")
    assert state_of(running) == RolloutState.PROGRESSING
    lift(scene, held)
    states = [state_of(Rollout.objects.get(version=version)) for version in (older, newest)]
    assert states == [RolloutState.SUPERSEDED, RolloutState.PROGRESSING]
    assert state_of(running) == RolloutState.SUPERSEDED
    assert reasons(older) == {HoldReason.SUPERSEDED, HoldReason.ROLLOUT}
    assert reasons(newest) == {HoldReason.ROLLOUT}
    assert Rollout.objects.get(version=newest).previous == scene.first


def test_an_older_version_past_the_strategy_reaches_nobody_when_a_newer_one_starts(scene):
    held = freeze(scene)
    older, newer = scene.publish(options=PAST), scene.publish("a: 3")
    lift(scene, held)
    assert Rollout.objects.get(version=newer).state == RolloutState.PROGRESSING
    assert scene.holders(older) == []
    assert reasons(older) == {HoldReason.SUPERSEDED}


def test_what_another_freeze_covers_stays_frozen(scene):
    one, other = freeze(scene), freeze(scene, Scope.GENERATOR, generator_id=scene.stack.generator_id)
    rollout = Rollout.objects.get(version=scene.publish())
    lift(scene, one)
    assert state_of(rollout) == RolloutState.FROZEN
    lift(scene, other)
    assert state_of(rollout) == RolloutState.PROGRESSING


def test_skipping_and_rolling_back_are_refused(scene):
    rollout = scene.start()
    held = freeze(scene)
    known = {"rollout_id": rollout.pk, "reason": "now", "actor": ADMIN, "now": scene.now}
    for action in (skip, roll_back):
        with pytest.raises(Frozen) as refusal:
            action(**known)
        assert refusal.value.details["freeze_id"] == held.pk
    assert state_of(rollout) == RolloutState.PROGRESSING


def test_an_admin_rolls_back_all_the_same_with_a_reason(scene):
    rollout = scene.start()
    freeze(scene)
    with recorded_audit() as rows:
        roll_back(
            rollout_id=rollout.pk,
            reason="broken",
            actor=ADMIN,
            now=scene.now,
            override_reason="customers are down",
        )
    told = {row.action: row.details for row in rows}
    assert told["freeze.overridden"]["reason"] == "customers are down"
    assert state_of(rollout) == RolloutState.ROLLED_BACK


def test_a_frozen_version_that_a_rollback_overtook_is_superseded(scene):
    rollout = scene.start()
    held = freeze(scene)
    frozen = scene.publish("a: 3")
    roll_back(rollout_id=rollout.pk, reason="broken", actor=ADMIN, now=scene.now, override_reason="customers")
    lift(scene, held)
    assert state_of(Rollout.objects.get(version=frozen)) == RolloutState.SUPERSEDED


def test_pausing_and_aborting_are_allowed(scene):
    rollout = scene.start()
    freeze(scene)
    known = {"rollout_id": rollout.pk, "reason": "no", "actor": ADMIN, "now": scene.now}
    pause(**known)
    abort(**known)
    assert state_of(rollout) == RolloutState.ABORTED


def test_a_frozen_rollout_that_was_aborted_does_not_start(scene):
    held = freeze(scene)
    version = scene.publish()
    rollout = Rollout.objects.get(version=version)
    abort(rollout_id=rollout.pk, reason="no", actor=ADMIN, now=scene.now)
    lift(scene, held)
    assert state_of(rollout) == RolloutState.ABORTED
    assert scene.holders(version) == []


def test_a_frozen_version_starts_although_a_newer_one_was_aborted(scene):
    held = freeze(scene)
    older, newer = (Rollout.objects.get(version=scene.publish(content)) for content in ("a: 2", "a: 3"))
    abort(rollout_id=newer.pk, reason="not this one", actor=ADMIN, now=scene.now)
    lift(scene, held)
    assert (state_of(older), state_of(newer)) == (RolloutState.PROGRESSING, RolloutState.ABORTED)


def test_a_failure_pauses_instead_of_rolling_back():
    scene = make_scene(on_failure=OnFailure.ROLL_BACK)
    rollout = scene.start()
    freeze(scene)
    scene.report(scene.holders(rollout.version), rollout.version, "FAILURE")
    assert scene.tick(rollout).state == RolloutState.PAUSED


def test_a_freeze_of_a_generator_covers_its_stacks_alone(scene):
    other = make_scene()
    freeze(scene, Scope.GENERATOR, generator_id=scene.stack.generator_id)
    assert Rollout.objects.get(version=scene.publish()).state == RolloutState.FROZEN
    assert Rollout.objects.get(version=other.publish()).state == RolloutState.PROGRESSING


def test_a_freeze_of_a_label_covers_stacks_that_an_agent_with_it_serves(scene):
    freeze(scene, Scope.LABEL, label="eu")
    assert Rollout.objects.get(version=scene.publish("a: 2")).state == RolloutState.PROGRESSING
    freeze(scene, Scope.LABEL, label="de")
    make_agent(active=True, labels=["app", "de"])
    version = scene.publish("a: 3")
    assert Rollout.objects.get(version=version).state == RolloutState.FROZEN
    assert scene.holders(version) == []


def test_it_ends_by_itself(scene):
    freeze(scene, until=scene.now + timedelta(hours=1))
    rollout = Rollout.objects.get(version=scene.publish())
    assert end_expired_freezes(now=scene.now) == 0
    scene.ahead += timedelta(hours=1)
    with recorded_events() as events:
        assert end_expired_freezes(now=scene.now) == 1
        thaw_stacks(now=scene.now)
    assert state_of(rollout) == RolloutState.PROGRESSING
    (told,) = [event for event in events if event.kind == "freeze.lifted"]
    assert told.details["has_expired"]


def test_thawing_again_changes_nothing(scene):
    held = freeze(scene)
    scene.publish()
    lift(scene, held)
    assert thaw_stacks(now=scene.now) == 0


def test_a_freeze_is_lifted_once(scene):
    held = freeze(scene)
    lift(scene, held)
    with pytest.raises(FreezeNotFound):
        lift(scene, held)


def test_a_freeze_that_died_before_it_thawed_is_followed_up(scene):
    held = freeze(scene)
    rollout = Rollout.objects.get(version=scene.publish())
    Freeze.objects.filter(pk=held.pk).update(lifted_at=scene.now)
    assert thaw_stacks(now=scene.now) == 1
    assert state_of(rollout) == RolloutState.PROGRESSING


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": Scope.GENERATOR},
        {"scope": Scope.LABEL},
        {"scope": Scope.LABEL, "label": "two words"},
        {"scope": Scope.FLEET, "label": "eu"},
        {"scope": Scope.GENERATOR, "generator_id": uuid4()},
    ],
)
def test_a_scope_that_does_not_fit_is_refused(scene, fields):
    with pytest.raises(InvalidFreeze):
        freeze(scene, **fields)


def test_an_end_that_is_past_and_a_missing_reason_are_refused(scene):
    with pytest.raises(InvalidFreeze):
        freeze(scene, until=scene.now)
    with pytest.raises(InvalidFreeze):
        begin_freeze(scope=Scope.FLEET, reason=" ", actor=ADMIN, now=scene.now)


def test_nothing_that_is_frozen_counts_as_held_for_ever(scene):
    held = freeze(scene)
    scene.publish()
    assert unending_holds() == []
    Freeze.objects.filter(pk=held.pk).update(lifted_at=scene.now)
    assert [each.hold.reason for each in unending_holds()] == [HoldReason.FREEZE]


def test_polls_of_silent_agents_are_no_part_of_it(scene):
    AgentHeartbeat.objects.filter(agent__in=scene.agents).update(last_heartbeat=scene.now - timedelta(days=1))
    rollout = scene.start()
    held = freeze(scene)
    AgentHeartbeat.objects.filter(agent__in=scene.agents).update(last_heartbeat=scene.now + SOAK)
    scene.tick(rollout)
    assert scene.holders(rollout.version) == []
    lift(scene, held)
    scene.tick(rollout)
    assert len(scene.holders(rollout.version)) == 1
