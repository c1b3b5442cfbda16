"""The report of a run says until when the broker was overloaded."""

import pytest

from simulator.plan import Plan
from simulator.report import Report
from simulator.stats import Calls

PLAN = Plan(url="http://127.0.0.1:1", admin_key="", agents=1, interval=1, duration=9)


def calls(*seconds: float, errors: int = 0) -> Calls:
    made = Calls(count=len(seconds) + errors)
    for each in seconds:
        made.took(each)
    made.errors.update(["ConnectionRefusedError"] * errors)
    return made


@pytest.mark.parametrize(
    ("of_a_second", "is_overload"),
    [
        ({"poll": calls(0.1, 0.1, 5.0)}, False),
        ({"poll": calls(0.1, 5.0, 5.0)}, True),
        ({"poll": calls(5.0), "heartbeat": calls(0.1, 0.1)}, False),
        ({"poll": calls(0.1, errors=1)}, True),
        ({"publish": calls(5.0, errors=1)}, False),
        ({}, False),
    ],
)
def test_a_broker_is_overloaded_when_half_of_the_agents_calls_take_long_or_one_fails(
    of_a_second, is_overload
):
    report = Report(PLAN)
    report.count(of_a_second, after=7.5)
    assert report.overloaded == (7.5 if is_overload else 0.0)


def test_the_last_such_second_counts():
    report = Report(PLAN)
    for after, seconds in ((1.0, 5.0), (2.0, 5.0), (3.0, 0.1)):
        report.count({"poll": calls(seconds)}, after=after)
    assert (report.overloaded, report.calls["poll"].count) == (2.0, 3)
