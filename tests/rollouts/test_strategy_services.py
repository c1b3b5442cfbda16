"""Strategies that are stored, and which stack has which."""

from dataclasses import replace

import pytest
from django.db import transaction

from core.errors import UniqueViolation
from core.events import SYSTEM, Actor
from paks.actors import ActorType
from rollouts.errors import (
    BypassDenied,
    InvalidStrategy,
    ReasonRequired,
    RolloutStrategyNotFound,
    StackHasNoStrategy,
    StrategyInUse,
)
from rollouts.models import RolloutStrategy, StackRolloutStrategy
from rollouts.services.strategies import (
    create_strategy,
    delete_strategy,
    ensure_default_strategies,
    find_strategy,
    lock_strategy,
    remove_stack_strategy,
    set_stack_strategy,
    strategy_of_stack,
    update_strategy,
)
from rollouts.strategies import Strategy, Wave
from stacks.services import delete_stack, lock_stack
from tests.factories import make_stack
from tests.support.events import recorded_audit
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db

OWNER = Actor(type=ActorType.GENERATOR)
PLAIN = Strategy("plain", (wave(),))


@pytest.fixture
def stored():
    return create_strategy(strategy=PLAIN, actor=ADMIN)


@pytest.fixture
def stack(db):
    return make_stack()


def give(stack, name, reason="", actor=ADMIN):
    return set_stack_strategy(stack=stack, name_or_id=name, reason=reason, actor=actor)


def test_a_strategy_is_stored_and_found_by_name_and_by_id(stored):
    assert find_strategy("plain") == find_strategy(str(stored.pk)) == stored
    assert stored.strategy == PLAIN


def test_no_two_live_strategies_have_one_name(stored):
    with pytest.raises(UniqueViolation):
        create_strategy(strategy=PLAIN, actor=ADMIN)
    delete_strategy(row=stored, actor=ADMIN)
    create_strategy(strategy=PLAIN, actor=ADMIN)


@pytest.mark.parametrize(
    "wrong",
    [replace(PLAIN, name=""), replace(PLAIN, name="none"), replace(PLAIN, waves=(Wave("a", count=1),))],
)
def test_a_strategy_that_cannot_be_used_is_refused(wrong):
    with pytest.raises(InvalidStrategy):
        create_strategy(strategy=wrong, actor=ADMIN)


def test_a_change_counts_the_revision(stored):
    with transaction.atomic():
        row = update_strategy(row=lock_strategy(stored.pk), strategy=replace(PLAIN, name="new"), actor=ADMIN)
    assert (row.name, row.revision) == ("new", 2)


def test_a_change_touches_no_rollout_under_way():
    scene = make_scene()
    rollout = scene.start()
    before = rollout.strategy
    with transaction.atomic():
        row = lock_strategy(find_strategy(rollout.strategy_name).pk)
        update_strategy(row=row, strategy=replace(before, waves=(wave(),)), actor=ADMIN)
    assert scene.again(rollout).strategy == before
    assert scene.prove(rollout).wave == 2


def test_a_strategy_that_a_stack_has_is_not_deleted(stored, stack):
    give(stack, "plain")
    with pytest.raises(StrategyInUse):
        delete_strategy(row=stored, actor=ADMIN)


def test_a_strategy_of_deleted_stacks_only_is_deleted(stored, stack):
    give(stack, "plain")
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
    delete_strategy(row=stored, actor=ADMIN)
    with pytest.raises(RolloutStrategyNotFound):
        find_strategy("plain")


def test_a_rollout_goes_on_when_its_strategy_is_deleted():
    scene = make_scene()
    rollout = scene.start()
    remove_stack_strategy(stack=scene.stack, reason="a test", actor=ADMIN)
    delete_strategy(row=find_strategy(rollout.strategy_name), actor=ADMIN)
    assert scene.prove(rollout).wave == 2


def test_an_owner_gives_its_stack_a_first_strategy(stored, stack):
    give(stack, "plain", actor=OWNER)
    assert strategy_of_stack(stack) == PLAIN


def test_another_strategy_needs_the_right_and_a_reason(stored, stack):
    give(stack, "plain")
    create_strategy(strategy=replace(PLAIN, name="other"), actor=ADMIN)
    with pytest.raises(BypassDenied):
        give(stack, "other", "I want to", OWNER)
    with pytest.raises(ReasonRequired):
        give(stack, "other", " ")
    with recorded_audit() as rows:
        give(stack, "other", "it is better")
    assert [(row.action, row.details) for row in rows] == [
        ("stack.strategy_set", {"strategy": "other", "reason": "it is better"})
    ]


def test_the_same_strategy_again_needs_nothing_and_is_not_told(stored, stack):
    give(stack, "plain")
    with recorded_audit() as rows:
        give(stack, str(stored.pk), actor=OWNER)
    assert rows == []


def test_taking_a_strategy_away_needs_the_right_and_a_reason(stored, stack):
    give(stack, "plain")
    with pytest.raises(BypassDenied):
        remove_stack_strategy(stack=stack, reason="I want to", actor=OWNER)
    with pytest.raises(ReasonRequired):
        remove_stack_strategy(stack=stack, reason="", actor=ADMIN)
    remove_stack_strategy(stack=stack, reason="a test", actor=ADMIN)
    assert strategy_of_stack(stack) is None


def test_a_stack_without_a_strategy_has_none_to_take_away(stack):
    with pytest.raises(StackHasNoStrategy):
        remove_stack_strategy(stack=stack, reason="a test", actor=ADMIN)


@pytest.mark.parametrize("name", ["unknown", "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"])
def test_an_unknown_strategy_is_not_found(stack, name):
    with pytest.raises(RolloutStrategyNotFound):
        give(stack, name)


def test_the_first_strategies_are_made_once():
    assert ensure_default_strategies(actor=ADMIN) == 3
    delete_strategy(row=find_strategy("rings"), actor=ADMIN)
    assert ensure_default_strategies(actor=ADMIN) == 0
    assert set(RolloutStrategy.objects.active().values_list("name", flat=True)) == {"canary", "all-at-once"}


def test_a_deleted_stack_has_no_strategy(stored, stack):
    give(stack, "plain")
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
    assert not StackRolloutStrategy.objects.exists()
