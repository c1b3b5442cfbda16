"""A publish is ordinary if all agents get the version at once and nothing else changes; that costs no statement."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import HoldReason, VersionHold
from core.prepared import fetch_one, uuid_parameter
from rollouts.models import Freeze, RolledBackContent, Rollout, RolloutState
from rollouts.models.rollout import FINAL, UNFINISHED
from rollouts.unusual_publish import MAY_BE_HELD
from tests.factories import make_object, make_stack
from tests.support.rollouts import give_strategy, make_past_freeze, make_strategy, wave

pytestmark = pytest.mark.django_db

TABLES = ("stack_rollout_strategies", "freezes", "rolled_back_contents", "rollouts", "object_holds")


@pytest.fixture
def stack():
    return make_stack()


def is_ordinary(stack_id) -> bool:
    return not fetch_one(f"SELECT {MAY_BE_HELD}", {"stack": uuid_parameter(stack_id)})[0]


def add_rollout(stack, state: RolloutState) -> None:
    version = make_object(stack)
    Rollout.objects.create(
        stack=stack, version=version, strategy_name="s", definition={}, state=state, publisher_role="admin"
    )


def hold_version(stack) -> None:
    VersionHold.objects.create(version=make_object(stack), reason=HoldReason.SUPERSEDED)


def forbid_content(stack) -> None:
    RolledBackContent.objects.create(stack=stack, digest="0" * 64)


def test_it_asks_the_tables_of_rollouts_once_and_writes_none(stack):
    with CaptureQueriesContext(connection) as captured:
        make_object(stack)
    assert sum(any(table in query["sql"] for table in TABLES) for query in captured) == 1


@pytest.mark.parametrize(
    "add",
    [
        lambda stack: give_strategy(stack, make_strategy(wave())),
        lambda _: Freeze.objects.create(scope=Freeze.Scope.FLEET, reason="holidays"),
        forbid_content,
        hold_version,
    ],
    ids=["a strategy", "a freeze", "a content that was rolled back", "a held version"],
)
def test_it_is_not_ordinary_with(stack, add):
    add(stack)
    assert not is_ordinary(stack.pk)


@pytest.mark.parametrize("state", UNFINISHED)
def test_it_is_not_ordinary_with_an_unfinished_rollout(stack, state):
    add_rollout(stack, state)
    assert not is_ordinary(stack.pk)


def test_what_is_over_does_not_count(stack):
    make_past_freeze(stack.generator)
    for state in FINAL:
        add_rollout(stack, state)
    assert is_ordinary(stack.pk)


def test_what_other_stacks_have_does_not_count(stack):
    other = make_stack()
    hold_version(other)
    forbid_content(other)
    add_rollout(other, RolloutState.PROGRESSING)
    give_strategy(other, make_strategy(wave()))
    assert is_ordinary(stack.pk)
