"""A short run of `make chaos`: nothing acknowledged is lost or doubled, and no answer is wrong, whatever happens."""

import pytest

from tests.chaos.run import run

pytestmark = pytest.mark.faults


def test_what_was_acknowledged_outlives_a_failover_and_whatever_follows_it():
    said: list[str] = []
    report = run(seed=4, seconds=30, agents=20, say=said.append)
    assert report.is_right, report.as_text()
    assert report.faults[0][0] == "fail the database over"
    assert report.versions
    assert report.orders
    assert len(said) == len(report.faults)
