"""The checker of the simulator must find every fault that is planted, and none where there is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.invariants import Poll, Shown, check_poll, remember
from simulator.truth import AgentHistory, Span, Toggle, Truth


class Story:
    """What a fleet of one agent and some stacks did, second by second; every change takes from `at` to `at + 1`."""

    def __init__(self) -> None:
        self.truth = Truth()
        self.truth.apply({"what": "agent", "id": "agent", "key": "", "labels": ["mine"]})

    @property
    def agent(self) -> AgentHistory:
        return self.truth.agents[0]

    def stack(self, name: str = "stack", *, at: float = 0, label: str = "mine", sequence_id: int = 1) -> None:
        """A stack with its label and first version."""
        self.truth.apply({"what": "stack", "id": name})
        self.change(name, "label", at=at, label=label)
        self.change(name, "publish", at=at, sequence_id=sequence_id)

    def change(
        self,
        name: str,
        change: str,
        *,
        at: float,
        acknowledged: bool = True,
        sequence_id: int = 0,
        label: str = "mine",
    ) -> None:
        key = f"{name}-{change}-{at}-{label}"
        self.truth.apply(
            {"what": "begin", "stack": name, "change": change, "label": label, "key": key, "at": at}
        )
        if acknowledged:
            self.truth.apply(
                {
                    "what": "end",
                    "key": key,
                    "at": at + 1,
                    "sequence_id": sequence_id,
                    "id": f"{name}#{sequence_id}",
                }
            )

    def report(self, shown: Shown, *, at: float, acknowledged: bool = True) -> None:
        on = [(shown.stack_id, shown.id, shown.is_marker)]
        self.truth.apply({"what": "ask", "agent": 0, "on": on, "at": at})
        if acknowledged:
            self.truth.apply(
                {"what": "told", "agent": 0, "on": on, "began": at, "at": at + 1, "events": ["event"]}
            )

    def poll(self, *shown: Shown, at: float) -> set[str]:
        """The rules that an answer breaks, asked for at that time and arrived a second later."""
        poll = Poll(shown, at, at + 1, dict(self.agent.seen))
        violations = check_poll(self.truth, self.agent, poll)
        remember(self.agent, poll)
        return {violation.rule for violation in violations}


def live(sequence_id: int, stack: str = "stack") -> Shown:
    return Shown(f"{stack}#{sequence_id}", stack, sequence_id, is_marker=False)


def marker(sequence_id: int, stack: str = "stack") -> Shown:
    return Shown(f"{stack}#{sequence_id}", stack, sequence_id, is_marker=True)


@pytest.fixture
def story() -> Story:
    """One stack of the agent, published as 1 and, from 10 to 11, as 2."""
    story = Story()
    story.stack()
    story.change("stack", "publish", at=10, sequence_id=2)
    return story


def test_the_newest_object_is_right(story):
    assert story.poll(live(1), at=5) == set()
    assert story.poll(live(2), at=20) == set()


@pytest.mark.parametrize("sequence_id", [1, 2])
def test_while_a_change_is_under_way_old_and_new_are_right(story, sequence_id):
    assert story.poll(live(sequence_id), at=9.5) == set()
    assert story.poll(live(2), at=10.5) == set()


def test_an_acknowledged_version_that_does_not_come_is_found(story):
    assert story.poll(live(1), at=20) == {"nothing older than what was acknowledged"}


def test_an_older_object_after_a_newer_one_is_found(story):
    assert story.poll(live(2), at=10.2) == set()
    assert story.poll(live(1), at=10.4) == {"nothing older after newer"}


def test_a_version_before_it_was_published_is_found(story):
    assert story.poll(live(2), at=5) == {"nothing that was not published"}


def test_an_object_that_nobody_published_is_found(story):
    assert story.poll(live(99), at=20) == {"nothing that was not published"}


def test_an_object_under_another_id_is_found(story):
    assert story.poll(Shown("other", "stack", 2, is_marker=False), at=20) == {
        "nothing that was not published"
    }


def test_an_unacknowledged_version_may_come_or_not(story):
    story.change("stack", "publish", at=30, acknowledged=False)
    assert story.poll(live(2), at=100) == set()
    assert story.poll(live(77), at=100) == set()


def test_a_stack_twice_is_found(story):
    assert story.poll(live(2), live(2), at=20) == {"one object for each stack"}


def test_a_stack_of_somebody_else_is_found(story):
    assert story.poll(live(2), live(5, "foreign"), at=20) == {"nothing foreign"}
    story.stack("theirs", label="theirs", sequence_id=7)
    assert story.poll(live(2), live(7, "theirs"), at=20) == {"nothing foreign"}


def test_a_stack_that_disappears_is_found(story):
    assert story.poll(at=20) == {"nothing disappears"}


def test_a_stack_that_was_never_published_need_not_come(story):
    story.truth.apply({"what": "stack", "id": "empty"})
    story.change("empty", "label", at=0)
    assert story.poll(live(2), at=20) == set()


def test_without_its_label_the_stack_must_go_and_with_it_come_back(story):
    story.change("stack", "unlabel", at=30)
    assert story.poll(live(2), at=30.5) == set()
    assert story.poll(at=30.5) == set()
    assert story.poll(live(2), at=40) == {"nothing foreign"}
    assert story.poll(at=40) == set()
    story.change("stack", "label", at=50)
    assert story.poll(at=50.5) == set()
    assert story.poll(at=60) == {"nothing disappears"}
    assert story.poll(live(2), at=60) == set()


def test_a_change_of_labels_that_was_never_acknowledged_excuses_both(story):
    story.change("stack", "unlabel", at=30, acknowledged=False)
    assert story.poll(live(2), at=100) == set()
    assert story.poll(at=100) == set()


def test_a_deleted_stack_that_stays_is_found(story):
    story.change("stack", "delete", at=30)
    assert story.poll(live(2), at=30.5) == set()
    assert story.poll(live(2), at=40) == {"nothing of a deleted stack"}
    assert story.poll(at=40) == set()


def test_a_marker_of_a_living_stack_is_found(story):
    story.report(live(2), at=15)
    assert story.poll(marker(3), at=20) == {"no marker of a living stack"}


def test_an_agent_that_has_left_is_shown_the_removal_of_a_living_stack_until_it_answers(story):
    story.report(live(2), at=15)
    story.change("stack", "unlabel", at=20)
    assert story.poll(marker(3), at=30) == set()
    story.report(marker(3), at=35)
    assert story.poll(marker(3), at=40) == {"no marker that was answered"}


def test_an_agent_that_came_back_may_be_shown_what_is_older_than_the_removal(story):
    story.poll(live(2), at=15)
    story.change("stack", "unlabel", at=20)
    assert story.poll(marker(3), at=30) == set()
    story.change("stack", "label", at=40)
    assert story.poll(live(2), at=50) == set()


def test_a_marker_of_what_was_never_given_is_found(story):
    story.change("stack", "delete", at=30)
    assert story.poll(marker(3), at=40) == {"no marker of what it was never given"}


def test_a_marker_of_what_a_lost_answer_may_have_given_is_right(story):
    story.agent.lose(15)
    story.change("stack", "delete", at=30)
    assert story.poll(marker(3), at=40) == set()


def test_an_answer_that_was_lost_after_the_stack_was_excuses_no_marker(story):
    story.change("stack", "unlabel", at=20)
    story.agent.lose(30)
    assert story.poll(marker(3), at=40) == {"no marker of what it was never given"}


def test_an_owed_marker_must_come_until_it_is_answered(story):
    story.report(live(2), at=15)
    story.change("stack", "delete", at=30)
    assert story.poll(at=40) == {"nothing disappears"}
    assert story.poll(marker(3), at=40) == set()
    story.report(marker(3), at=50, acknowledged=False)
    assert story.poll(at=60) == set()
    assert story.poll(marker(3), at=60) == set()
    story.report(marker(3), at=70)
    assert story.poll(at=80) == set()
    assert story.poll(marker(3), at=80) == {"no marker that was answered"}


def test_a_marker_is_owed_to_a_report_that_comes_after_the_deletion(story):
    story.change("stack", "delete", at=30)
    story.report(live(2), at=35)
    assert story.poll(at=40) == {"nothing disappears"}
    assert story.poll(marker(3), at=40) == set()


@pytest.mark.parametrize("unlabelled", [True, False])
def test_a_marker_is_owed_only_to_an_agent_that_served_the_stack_when_it_was_deleted(story, unlabelled):
    story.report(live(2), at=15)
    if unlabelled:
        story.change("stack", "unlabel", at=20)
    story.change("stack", "delete", at=30)
    assert (story.poll(at=40) == set()) is unlabelled


# A stack's life, one change after another, as the broker would live it: what the broker answers at a moment of the
# change's request is right, and nothing that differs from it long after the last change is.
changes = st.lists(st.sampled_from(["publish", "label", "unlabel", "delete"]), max_size=8)


def live_through(said: list[str]) -> tuple[Story, list[Shown]]:
    story, newest, labelled, alive, now = Story(), 1, True, True, 10.0
    story.stack()
    for change in said:
        if not alive or ((change == "label") == labelled and change not in {"publish", "delete"}):
            continue
        newest += change == "publish"
        labelled = change == "label" or (labelled and change != "unlabel")
        alive = change != "delete"
        story.change("stack", change, at=now, sequence_id=newest)
        answer = [live(newest)] if labelled and alive else []
        assert story.poll(*answer, at=now + 0.5) == set()
        now += 10
    return story, [live(newest)] if labelled and alive else []


@given(changes)
def test_a_right_broker_breaks_no_rule(said):
    story, answer = live_through(said)
    assert story.poll(*answer, at=1000) == set()


@given(changes, st.integers(0, 3))
def test_a_wrong_answer_breaks_a_rule(said, sequence_id):
    story, answer = live_through(said)
    wrong = [live(sequence_id)] if sequence_id else []
    assert (story.poll(*wrong, at=1000) == set()) is (wrong == answer)


spans = st.lists(st.tuples(st.booleans(), st.floats(0.1, 5), st.floats(0, 5)), max_size=6)


@given(spans, st.floats(0, 60), st.floats(0, 10))
def test_a_toggle_knows_every_value_that_a_moment_may_have(
    plan: list[tuple[bool, float, float]], began: float, length: float
):
    toggle, moments, now, value = Toggle(value=False), [(0.0, False)], 0.0, False
    for value, pause, took in plan:
        now += pause
        toggle.change(Span(now, now + took), value=value)
        moments.append((now + took / 2, value))
        now += took
    ended = began + length
    before = [value for at, value in moments if at <= began]
    true: set[Any] = {before[-1], *(value for at, value in moments if began <= at <= ended)}
    assert true <= toggle.possible(began, ended)
