"""Which reports must still be there at the end of a run."""

import pytest

from simulator.truth import Truth

VERSION, MARKER = ("stack", "version", False), ("stack", "marker", True)


@pytest.fixture
def truth() -> Truth:
    truth = Truth()
    truth.apply({"what": "agent", "id": "agent", "key": "", "labels": []})
    return truth


def report(truth: Truth, on: tuple[str, str, bool], event: str, *, acknowledged: bool = True) -> None:
    truth.apply({"what": "ask", "agent": 0, "on": [on], "at": 1})
    if acknowledged:
        truth.apply({"what": "told", "agent": 0, "on": [on], "began": 1, "at": 2, "events": [event]})


def test_what_was_acknowledged_must_be_there(truth):
    report(truth, VERSION, "first")
    assert truth.agents[0].event_ids == {"first": "stack"}


def test_the_answer_to_a_marker_makes_the_broker_forget_what_was_said_before(truth):
    report(truth, VERSION, "first")
    report(truth, MARKER, "gone")
    report(truth, VERSION, "second")
    assert truth.agents[0].event_ids == {"gone": "stack", "second": "stack"}


def test_an_answer_to_a_marker_that_may_still_arrive_may_make_it_forget_what_is_said_after(truth):
    report(truth, MARKER, "gone", acknowledged=False)
    report(truth, VERSION, "first")
    report(truth, MARKER, "gone")
    report(truth, VERSION, "second")
    assert truth.agents[0].event_ids == {}
