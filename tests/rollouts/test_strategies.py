"""What a strategy may say, and whom its waves take."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.strategies import (
    DEFAULTS,
    FailureBudget,
    HealthGate,
    OnFailure,
    OnNewer,
    SilentAgents,
    Strategy,
    Wave,
    in_canary_order,
    members_of,
    mistakes_in,
    strategy_from_json,
    strategy_to_json,
    warnings_about,
)

CHAIN = UUID(int=7)
AGENTS = [UUID(int=number) for number in range(1, 41)]
words = st.text("abc=", min_size=1, max_size=5)


@st.composite
def any_wave(draw) -> Wave:
    bound = draw(st.sampled_from(["percent", "count", None]))
    budget = st.builds(FailureBudget, st.integers(0, 9)) | st.builds(
        FailureBudget, percent=st.integers(0, 100)
    )
    return Wave(
        name=draw(words),
        labels=tuple(draw(st.lists(words, max_size=3))),
        percent=draw(st.integers(1, 100)) if bound == "percent" else None,
        count=draw(st.integers(1, 50)) if bound == "count" else None,
        soak_seconds=draw(st.integers(0, 10_000)),
        health=draw(st.sampled_from(HealthGate)),
        max_failures=draw(budget),
        checks=tuple(draw(st.lists(words, max_size=2, unique=True))),
        needs_approval=draw(st.booleans()),
        deadline_seconds=draw(st.integers(1, 10_000)),
    )


any_strategy = st.builds(
    Strategy,
    name=words,
    waves=st.lists(any_wave(), min_size=1, max_size=4).map(tuple),
    on_failure=st.sampled_from(OnFailure),
    silent=st.sampled_from(SilentAgents),
    on_newer=st.sampled_from(OnNewer),
    approval_by_another=st.booleans(),
)


@given(any_strategy)
def test_what_is_stored_is_what_was_said(strategy):
    assert strategy_from_json(strategy.name, strategy_to_json(strategy)) == strategy


def test_a_field_that_is_not_stored_has_its_default():
    strategy = strategy_from_json("a", {"waves": [{"name": "rest"}]})
    assert strategy == Strategy("a", (Wave("rest"),))
    assert (strategy.wave(1).soak_seconds, strategy.wave(1).deadline_seconds) == (300, 86_400)
    assert strategy.wave(1).max_failures == FailureBudget(0)


@pytest.mark.parametrize("strategy", DEFAULTS, ids=lambda strategy: strategy.name)
def test_the_first_strategies_have_no_mistake(strategy):
    assert mistakes_in(strategy) == []


def test_the_first_strategies_are_canary_rings_and_all_at_once():
    canary, rings, at_once = DEFAULTS
    assert [(wave.count, wave.percent, wave.is_rest) for wave in canary.waves] == [
        (1, None, False),
        (None, 10, False),
        (None, None, True),
    ]
    assert [wave.labels for wave in rings.waves] == [("ring=0",), ("ring=1",), ("ring=2",), ("ring=3",), ()]
    assert [wave.is_rest for wave in at_once.waves] == [True]


@pytest.mark.parametrize(
    "waves",
    [
        (),
        (Wave("a", count=1),),
        (Wave("a", labels=("x",)),),
        (Wave("a", percent=50),),
        (Wave("rest"), Wave("a", count=1)),
        (Wave("a"), Wave("a")),
        (Wave("", count=1), Wave("rest")),
        (Wave(" \u2003", count=1), Wave("rest")),
        (Wave("a" * 256, count=1), Wave("rest")),
        (Wave("a", percent=1, count=1), Wave("rest")),
        (Wave("a", checks=("x", "x")), Wave("rest")),
        tuple(Wave(str(number)) for number in range(51)),
    ],
)
def test_a_strategy_that_cannot_be_used_says_why(waves):
    assert mistakes_in(Strategy("a", waves))


def test_required_health_is_warned_about():
    assert warnings_about(Strategy("a", (Wave("strict", health=HealthGate.REQUIRED), Wave("rest"))))
    assert warnings_about(Strategy("a", (Wave("rest"),))) == []


def test_a_soak_that_the_deadline_cuts_off_is_warned_about():
    (warning,) = warnings_about(
        Strategy("a", (Wave("short", soak_seconds=60, deadline_seconds=60), Wave("rest")))
    )
    assert "'short'" in warning


@given(st.integers(1, 100), st.integers(1, 500))
def test_a_share_is_rounded_up_and_never_empty(percent, matched):
    size = Wave("a", percent=percent).size(matched)
    assert 1 <= size <= matched
    assert (size - 1) * 100 < percent * matched


def test_a_share_of_nobody_is_nobody():
    assert Wave("a", percent=10).size(0) == 0


@pytest.mark.parametrize(
    ("budget", "released", "allowed"),
    [
        (FailureBudget(), 100, 0),
        (FailureBudget(3), 1, 3),
        (FailureBudget(percent=10), 19, 1),
        (FailureBudget(percent=10), 9, 0),
    ],
)
def test_a_budget_is_a_number_or_a_share_rounded_down(budget, released, allowed):
    assert budget.of(released) == allowed


@given(st.permutations(AGENTS))
def test_the_order_of_agents_does_not_depend_on_how_they_are_given(agents):
    assert in_canary_order(CHAIN, agents) == in_canary_order(CHAIN, AGENTS)


def test_another_chain_begins_with_others():
    first = {tuple(in_canary_order(uuid4(), AGENTS)[:3]) for _ in range(20)}
    assert len(first) > 1


@given(st.integers(1, 40))
def test_a_larger_wave_keeps_the_members_of_a_smaller_one(count):
    small = members_of(Wave("a", count=count), chain_id=CHAIN, matched=AGENTS)
    large = members_of(Wave("a", count=count + 1), chain_id=CHAIN, matched=AGENTS)
    assert set(small) <= set(large)
