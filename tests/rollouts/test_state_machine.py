"""Everything that may happen to rollouts, in any order, over the product's own services, poll and worker.

After every step the rules of `tests/support/rollout_rules.py` must hold, and every run must come to its end.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from rollouts.models import Freeze, RolloutCheck
from rollouts.services.control import abort, pause, resume, skip
from rollouts.services.strategies import create_strategy, delete_strategy, find_strategy, lock_strategy
from rollouts.strategies import FailureBudget, HealthGate, OnFailure, OnNewer, SilentAgents, Strategy
from tests.support.rollout_fleet import make_fleet, same_clock, same_numbers
from tests.support.rollout_run import RolloutRun
from tests.support.rollouts import ADMIN, wave

pytestmark = pytest.mark.django_db

# In parts, which several processes of the tests can share. Together they take 2,000 steps on PostgreSQL, and more
# with BROKKR_TEST_ROLLOUT_RUNS=1000. SQLite has less to get wrong, because one transaction writes at a time.
PARTS = 4
RUNS = int(os.environ.get("BROKKR_TEST_ROLLOUT_RUNS", "44" if connection.vendor == "postgresql" else "12"))
STEPS = 50

STRATEGIES = (
    Strategy("canary", (wave("one", count=1), wave("half", percent=50), wave())),
    Strategy("rings", (wave("ring", labels=("ring=0",)), wave()), on_failure=OnFailure.ROLL_BACK),
    Strategy(
        "budget",
        (wave("two", count=2, max_failures=FailureBudget(1)), wave(max_failures=FailureBudget(percent=40))),
    ),
    Strategy(
        "shares",
        (wave("some", percent=20), wave("more", percent=20), wave()),
        on_failure=OnFailure.ROLL_BACK,
        on_newer=OnNewer.QUEUE,
    ),
    Strategy(
        "healthy",
        (wave("one", count=1, health=HealthGate.REQUIRED, deadline_seconds=400), wave()),
        on_failure=OnFailure.ROLL_BACK,
    ),
    Strategy("gated", (wave("one", count=1, checks=("smoke",)), wave(needs_approval=True))),
    Strategy(
        "strict",
        (wave("two", count=2, health=HealthGate.IGNORED, deadline_seconds=600), wave(soak_seconds=0)),
        silent=SilentAgents.REQUIRED,
        on_newer=OnNewer.QUEUE,
    ),
)
NAMES = [each.name for each in STRATEGIES]

stacks = st.sampled_from(["shop", "shop", "base"])
agents = st.sampled_from(["ann", "bob", "cat", "dan", "eve"])
outcomes = st.sampled_from(["good", "well", "well", "fails", "splits", "unhealthy", "silences", "marker"])
named = st.sampled_from([*NAMES, *NAMES, "none", None])
rarely = st.sampled_from([False] * 9 + [True])
# After so many statements the process dies; most live.
deaths = st.one_of(st.none(), st.none(), st.integers(1, 40))


class RolloutMachine(RuleBasedStateMachine):
    """One run, in a transaction that is undone at the end."""

    def __init__(self, now: datetime, steps: Counter[str]) -> None:
        super().__init__()
        self.steps = steps
        self.undone = ExitStack()
        self.undone.enter_context(_undone())
        for same in same_numbers():
            self.undone.enter_context(same)
        fleet = make_fleet(now)
        self.undone.enter_context(same_clock(fleet.clock))
        self.run = RolloutRun(fleet)
        self.with_rollback = False
        self.is_begun = False

    def teardown(self) -> None:
        with self.undone:
            if self.is_begun:
                self.run.settle(with_rollback=self.with_rollback)

    @invariant()
    def count(self) -> None:
        self.steps["all"] += 1

    @initialize(with_rollback=st.booleans(), chosen=st.lists(st.sampled_from(NAMES), min_size=2, max_size=2))
    def begin(self, *, with_rollback: bool, chosen: list[str]) -> None:
        for strategy in STRATEGIES:
            create_strategy(strategy=strategy, actor=ADMIN)
        self.run.begin()
        for stack, name in zip(self.run.fleet.stacks, chosen, strict=True):
            self.run.do(partial(self.run.choose_strategy, stack, name))
        self.with_rollback, self.is_begun = with_rollback, True

    # What people and pipelines do.

    @rule(stack=stacks, outcome=outcomes, strategy=named, dies=deaths)
    def publish(self, stack: str, outcome: str, strategy: str | None, dies: int | None) -> None:
        self.run.do(partial(self.run.publish, stack, outcome, strategy=strategy), dies=dies)

    @rule(stack=stacks, outcome=outcomes, dies=deaths)
    def publish_by_pipeline(self, stack: str, outcome: str, dies: int | None) -> None:
        self.run.do(partial(self.run.publish, stack, outcome, as_generator=True), dies=dies)

    @rule(stack=stacks, back=st.integers(1, 4), as_generator=st.booleans())
    def publish_the_same_again(self, *, stack: str, back: int, as_generator: bool) -> None:
        for old in self.run.seen.versions[stack][:back][-1:]:
            self.run.do(partial(self.run.publish_content, stack, old.content, as_generator=as_generator))

    @rule(stack=stacks, name=st.sampled_from(NAMES))
    def choose_strategy(self, stack: str, name: str) -> None:
        self.run.do(partial(self.run.choose_strategy, stack, name))

    @rule(name=st.sampled_from(NAMES), really=rarely)
    def delete_strategy(self, *, name: str, really: bool) -> None:
        def delete() -> None:
            with transaction.atomic():
                delete_strategy(row=lock_strategy(find_strategy(name).pk), actor=ADMIN)

        if really:
            self.run.do(delete)

    @rule(stack=stacks, act=st.sampled_from([pause, resume, resume, abort, skip]), dies=deaths)
    def control(self, stack: str, act: Any, dies: int | None) -> None:
        if rollout := self.run.running(stack):
            now = self.run.fleet.clock.now
            self.run.do(partial(act, rollout_id=rollout.pk, reason="x", actor=ADMIN, now=now), dies=dies)

    @rule(back=st.integers(1, 3), dies=deaths)
    def roll_back(self, back: int, dies: int | None) -> None:
        for rollout in list(self.run.seen.rollouts.values())[-back:][:1]:
            self.run.do(partial(self.run.roll_back, rollout), dies=dies)

    @rule(stack=stacks)
    def approve(self, stack: str) -> None:
        if rollout := self.run.running(stack):
            self.run.do(partial(self.run.approve, rollout))

    @rule(stack=stacks, verdict=st.sampled_from(RolloutCheck.Verdict))
    def check(self, stack: str, verdict: RolloutCheck.Verdict) -> None:
        if rollout := self.run.running(stack):
            self.run.do(partial(self.run.check, rollout, verdict))

    @rule(stack=stacks)
    def release_held_version(self, stack: str) -> None:
        self.run.do(partial(self.run.release_held, stack))

    @rule(
        scope=st.sampled_from(Freeze.Scope),
        label=st.sampled_from(["edge", "ring=0"]),
        seconds=st.one_of(st.none(), st.integers(60, 600)),
        really=st.booleans(),
    )
    def freeze(self, *, scope: Freeze.Scope, label: str, seconds: int | None, really: bool) -> None:
        if really:
            self.run.do(partial(self.run.freeze, scope, label, seconds))

    @rule(dies=deaths)
    def lift(self, dies: int | None) -> None:
        if self.run.seen.freezes:
            self.run.do(self.run.lift, dies=dies)

    # Who serves what.

    @rule(agent=agents, label=st.sampled_from(["app", "app", "db", "edge", "ring=0"]), dies=deaths)
    def change_label(self, agent: str, label: str, dies: int | None) -> None:
        self.run.change_label(agent, label, dies)

    @rule(stack=stacks, really=rarely)
    def change_label_of_stack(self, *, stack: str, really: bool) -> None:
        # Taken away rarely, and soon given back.
        if really or not self.run.fleet.stack_labels[stack]:
            self.run.change_label_of_stack(stack)

    @rule(agent=agents)
    def fall_silent(self, agent: str) -> None:
        self.run.fleet.agents[agent].is_silent = True

    @rule(agent=agents)
    def come_back(self, agent: str) -> None:
        self.run.fleet.agents[agent].is_silent = False

    @rule(really=rarely, dies=deaths)
    def delete_agent(self, *, really: bool, dies: int | None) -> None:
        if really:
            self.run.delete_agent("eve", dies)

    @rule(really=rarely, owner=st.sampled_from(["", "blue"]), dies=deaths)
    def delete_stack(self, *, really: bool, owner: str, dies: int | None) -> None:
        if really and "base" not in self.run.fleet.deleted_stacks:
            self.run.delete_stack("base", with_generator=owner, dies=dies)

    # What agents and workers do.

    @rule(agent=agents)
    def poll(self, agent: str) -> None:
        self.run.do(partial(self.run.poll, agent))

    @rule(index=st.integers(0, 30), again=st.booleans())
    def report(self, *, index: int, again: bool) -> None:
        self.run.do(partial(self.run.fleet.deliver, index, again=again))

    @rule(seconds=st.sampled_from([5, 30, 61, 200, 320]), dies=deaths)
    def work(self, seconds: int, dies: int | None) -> None:
        self.run.fleet.clock.advance(seconds)
        self.run.do(self.run.work, dies=dies)

    @rule(
        after=st.integers(1, 40),
        what=st.sampled_from(["work", "report", "publish", "abort"]),
        index=st.integers(0, 30),
        stack=stacks,
    )
    def work_while_something_happens(self, after: int, what: str, index: int, stack: str) -> None:
        """Two workers, or a worker and somebody else."""
        self.run.fleet.clock.advance(61)
        acts: dict[str, Callable[[], object]] = {
            "work": self.run.work,
            "report": partial(self.run.fleet.deliver, index),
            "publish": partial(self.run.publish, stack, "well", strategy="canary"),
            "abort": partial(self.run.abort_any, stack),
        }
        self.run.work_while(after, acts[what])

    @rule()
    def go_round(self) -> None:
        self.run.go_round()

    # Six are longer than a soak, so that a wave is proven while others fail.
    @rule(rounds=st.sampled_from([1, 2, 6]))
    def go_round_for_a_while(self, rounds: int) -> None:
        for _ in range(rounds):
            self.run.go_round()


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("part", range(PARTS))
def test_everything_holds_in_any_order_and_ends(now: datetime, part: int) -> None:
    runs = RUNS // PARTS
    steps: Counter[str] = Counter()
    options = examples(
        max_examples=runs,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        database=None,
    )
    make: Any = partial(RolloutMachine, now, steps)
    run_state_machine_as_test(make, settings=options)
    # A run begins with a step that only prepares it.
    assert steps["all"] >= runs * (STEPS - 4), f"part {part} took few steps"
