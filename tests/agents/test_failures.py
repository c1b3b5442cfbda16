"""Failures are grouped by what is wrong."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from agents.attention import Failure
from agents.failures import grouped, kind_of

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
STACK, OTHER = UUID(int=1), UUID(int=2)


def failure(number: int, message: str | None, *, stack: UUID = STACK, minutes: int = 0) -> Failure:
    began = NOW - timedelta(minutes=minutes)
    return Failure(UUID(int=number), stack, began, NOW + timedelta(minutes=number), 7, message)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ImagePullBackOff in api-7d9f8b6c5d-x2x9z", "ImagePullBackOff in api-5f6d7c8b9d-k4l5m"),
        ("timed out after 30s", "timed  out after\n45s"),
        ("no manifest sha256:0f3a9c81d2", "no manifest sha256:88ffe0a1bc"),
        (
            "job 0193a3de-7b1c-7a52-8c1e-000000000001 failed",
            "job 0193a3de-7b1c-7a52-8c1e-0000000000ff failed",
        ),
        (None, ""),
    ],
)
def test_messages_that_differ_in_what_is_each_agents_own_are_of_one_kind(one, other):
    assert kind_of(one) == kind_of(other)


@pytest.mark.parametrize(("one", "other"), [("no such image", "no such secret"), ("denied", "added")])
def test_messages_about_something_else_are_of_another_kind(one, other):
    assert kind_of(one) != kind_of(other)


def test_a_group_says_how_many_fail_alike_since_when_and_when_it_was_last_seen():
    (group,) = grouped([failure(1, "took 5 s", minutes=50), failure(2, "took 7 s", minutes=10)])
    assert (group.agents, group.message, group.sequence_id) == (2, "took 7 s", 7)
    assert (group.first, group.latest) == (NOW - timedelta(minutes=50), NOW - timedelta(minutes=10))
    assert group.last_seen == NOW + timedelta(minutes=2)


def test_the_newest_group_comes_first_and_of_the_same_hour_the_widest():
    old = [failure(number, "old", minutes=120) for number in range(5)]
    narrow, wide = (
        [failure(6, "narrow")],
        [failure(number, "wide", stack=OTHER, minutes=9) for number in (7, 8)],
    )
    assert [group.message for group in grouped([*narrow, *old, *wide])] == ["wide", "narrow", "old"]
