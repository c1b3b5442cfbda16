"""What a rollout does next: pure, so that any facts can be tried."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.decision import (
    AskApproval,
    Facts,
    ProveWave,
    Refill,
    ReleaseLate,
    ReleaseWave,
    Stop,
    StopReason,
    Succeed,
    Verdict,
    Wait,
    WaveFacts,
    next_step,
)
from rollouts.strategies import FailureBudget, OnFailure, Strategy, Wave

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PLAIN = Strategy("plain", (Wave("canary", count=1), Wave("rest")))


def one(**facts) -> WaveFacts:
    """A wave of four that was just released."""
    given: dict[str, Any] = {"number": 1, "running_since": NOW, "matched": 4, "members": 4, "counted": 4}
    return WaveFacts(**given | facts)


def step(wave=None, *, strategy=PLAIN, is_proven=False, now=NOW, **facts):
    return next_step(strategy, Facts(wave=wave, **facts), is_proven=is_proven, now=now)


def with_first(**rules) -> Strategy:
    return Strategy("plain", (Wave("canary", **rules), Wave("rest")))


def test_the_first_wave_is_released():
    assert step() == ReleaseWave(1)


def test_a_wave_is_proven_when_every_counted_member_is():
    assert step(one(proven=4), released=4) == ProveWave(1)


def test_one_who_is_waited_for_is_no_proof():
    assert step(one(proven=3), released=4) == Wait(NOW + timedelta(hours=24))


def test_it_looks_again_when_the_next_member_has_soaked():
    soon = NOW + timedelta(seconds=30)
    assert step(one(proven=3, next_proof_at=soon), released=4) == Wait(soon)


def test_failures_within_the_budget_prove_beside_one_who_is_good():
    strategy = with_first(max_failures=FailureBudget(3))
    assert step(one(proven=1, failing=3), strategy=strategy, released=4, failing=3) == ProveWave(1)


def test_failures_beyond_the_budget_stop():
    stop = step(one(proven=3, failing=1), released=4, failing=1)
    assert stop == Stop(StopReason.TOO_MANY_FAILURES, rolls_back=False)


def test_the_budget_counts_failures_in_waves_that_are_proven():
    stop = step(one(number=2), released=10, failing=1)
    assert stop == Stop(StopReason.TOO_MANY_FAILURES, rolls_back=False)


def test_all_failing_stops_whatever_the_budget():
    strategy = with_first(max_failures=FailureBudget(percent=100))
    stop = step(one(failing=4), strategy=strategy, released=4, failing=4)
    assert stop == Stop(StopReason.ALL_FAILING, rolls_back=False)


def test_accepted_failures_count_no_more():
    assert step(one(failing=4, accepted=4), released=4) == ProveWave(1)


def test_nobody_counted_is_no_proof():
    assert isinstance(step(one(counted=0), released=0), Wait)


def test_a_wave_that_matched_nobody_is_proven():
    assert step(one(matched=0, members=0, counted=0)) == ProveWave(1)


def test_a_wave_whose_members_left_is_refilled():
    assert step(one(members=0, counted=0), has_spare=True) == Refill(1)


def test_a_wave_that_cannot_be_refilled_is_proven():
    assert step(one(members=0, counted=0)) == ProveWave(1)


def test_the_deadline_stops():
    later = NOW + timedelta(hours=24)
    assert step(one(proven=3), released=4, now=later) == Stop(StopReason.DEADLINE_PASSED, rolls_back=False)


def test_a_wave_that_is_good_at_the_deadline_is_proven():
    assert step(one(proven=4), released=4, now=NOW + timedelta(hours=24)) == ProveWave(1)


def test_a_missing_check_is_waited_for():
    strategy = with_first(checks=("smoke",))
    assert isinstance(step(one(proven=4), strategy=strategy, released=4), Wait)
    assert isinstance(step(one(members=0, counted=0), strategy=strategy), Wait)
    passed = one(proven=4, checks={"smoke": Verdict.PASSED})
    assert step(passed, strategy=strategy, released=4) == ProveWave(1)


def test_a_failed_check_stops():
    strategy = with_first(checks=("smoke",))
    stop = step(one(proven=4, checks={"smoke": Verdict.FAILED}), strategy=strategy, released=4)
    assert stop == Stop(StopReason.CHECK_FAILED, rolls_back=False, check="smoke")


def test_a_check_of_an_earlier_wave_that_fails_later_stops():
    stop = step(one(number=2), released=5, failed_before=frozenset({"smoke"}))
    assert stop == Stop(StopReason.CHECK_FAILED, rolls_back=False, check="smoke")


def test_a_wave_that_needs_approval_asks_for_it():
    strategy = Strategy("gated", (Wave("canary"), Wave("rest", needs_approval=True)))
    known = {"strategy": strategy, "is_proven": True, "released": 4}
    assert step(one(proven=4), **known) == AskApproval(2)
    assert step(one(proven=4), approved=frozenset({2}), **known) == ReleaseWave(2)


def test_the_last_proof_ends_it():
    assert step(one(number=2, proven=4), is_proven=True, released=4) == Succeed()


def test_latecomers_come_before_the_proof():
    assert step(one(proven=4), released=4, late=1) == ReleaseLate()


def test_a_freeze_lets_nothing_happen_but_a_stop():
    assert step(one(proven=4), released=4, is_frozen=True) == Wait()
    assert step(is_frozen=True) == Wait()
    late = NOW + timedelta(days=2)
    assert step(one(), released=4, is_frozen=True, now=late) == Wait()
    strategy = replace(PLAIN, on_failure=OnFailure.ROLL_BACK)
    stop = step(one(failing=1), strategy=strategy, released=4, failing=1, is_frozen=True)
    assert stop == Stop(StopReason.TOO_MANY_FAILURES, rolls_back=False)


@pytest.mark.parametrize("on_failure", OnFailure)
def test_the_strategy_says_whether_a_stop_rolls_back(on_failure):
    strategy = replace(PLAIN, on_failure=on_failure)
    stop = step(one(failing=1), strategy=strategy, released=4, failing=1)
    assert stop.rolls_back == (on_failure == OnFailure.ROLL_BACK)


@st.composite
def waves(draw) -> WaveFacts:
    """Any numbers that fit each other."""
    matched = draw(st.integers(0, 6))
    members = draw(st.integers(0, matched))
    counted = draw(st.integers(0, members))
    failing = draw(st.integers(0, counted))
    return WaveFacts(
        number=draw(st.integers(1, 2)),
        running_since=NOW - timedelta(hours=draw(st.integers(0, 30))),
        matched=matched,
        members=members,
        counted=counted,
        failing=failing,
        proven=draw(st.integers(0, counted - failing)),
        accepted=draw(st.integers(0, failing)),
    )


@given(waves(), st.integers(0, 3), st.booleans(), st.booleans())
def test_a_wave_is_never_called_proven_without_an_agent_that_proves_it(wave, budget, has_spare, is_frozen):
    strategy = Strategy("any", (Wave("one", max_failures=FailureBudget(budget)), Wave("rest")))
    failing = wave.failing - wave.accepted
    found = step(
        wave,
        strategy=strategy,
        released=wave.counted,
        failing=failing,
        has_spare=has_spare,
        is_frozen=is_frozen,
    )
    if isinstance(found, ProveWave):
        assert not is_frozen
        assert failing <= strategy.wave(wave.number).max_failures.of(wave.counted)
        assert wave.proven or wave.accepted or not wave.members
        assert wave.waiting == 0
    if isinstance(found, ReleaseWave | Succeed):
        pytest.fail("nothing is released before the wave is proven")


@given(waves(), st.integers(0, 3))
def test_the_same_facts_give_the_same_step(wave, late):
    assert step(wave, released=wave.counted, late=late) == step(wave, released=wave.counted, late=late)
