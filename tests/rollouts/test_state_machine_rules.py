"""The rules of the state machine find a fault that is planted, and none where there is none."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest

from tests.support.rollout_fleet import Violation, make_fleet, same_clock, same_numbers
from tests.support.rollout_run import RolloutRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(now: datetime) -> Iterator[RolloutRun]:
    """A run in which every agent has a version of what it serves."""
    with ExitStack() as stack:
        for same in same_numbers():
            stack.enter_context(same)
        fleet = make_fleet(now)
        stack.enter_context(same_clock(fleet.clock))
        made = RolloutRun(fleet)
        made.begin()
        yield made


def lose_and_gain_a_stack(run: RolloutRun) -> None:
    run.change_label("ann", "app", None)
    assert ("ann", "shop") in run.seen.removals
    run.change_label("ann", "app", None)


def test_a_removal_that_is_withdrawn_is_no_fault(run: RolloutRun) -> None:
    lose_and_gain_a_stack(run)
    assert not run.seen.removals


def test_a_removal_that_is_not_withdrawn_is_found(run: RolloutRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(**_: Any) -> None:
        """Withdraw nothing."""

    monkeypatch.setattr("agents.receivers.withdraw_removals", forget)
    with pytest.raises(Violation, match="its removal is owed"):
        lose_and_gain_a_stack(run)
