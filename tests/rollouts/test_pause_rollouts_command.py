"""manage.py pause_rollouts, for after a restored backup."""

import json

import pytest

from rollouts.models import RolloutState
from tests.support.commands import manage, refused_command
from tests.support.rollouts import make_scene, state_of

pytestmark = pytest.mark.django_db


def test_everything_that_moves_is_paused_and_says_why():
    scene = make_scene()
    rollout = scene.start()
    outcome = manage("pause_rollouts", "--json")
    assert json.loads(outcome.out) == {"paused": 1}
    row = scene.again(rollout)
    assert (row.state, row.cause) == (RolloutState.PAUSED, "restored")
    assert row.changed_by == "command pause_rollouts"


def test_a_second_time_there_is_nothing_to_do():
    scene = make_scene()
    rollout = scene.start()
    manage("pause_rollouts")
    assert json.loads(manage("pause_rollouts", "--json").out) == {"paused": 0}
    assert state_of(rollout) == RolloutState.PAUSED


def test_a_reason_that_the_database_cannot_hold_is_wrong_usage():
    make_scene().start()
    refused_command(manage("pause_rollouts", "--reason", "caf\udce9"), 2, "not valid UTF-8")
