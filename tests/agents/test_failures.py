"""Failures are grouped by what is wrong."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from agents import attention, failures
from agents.attention import Failure, failing_versions
from agents.failures import Urgent, grouped, kind_of, most_urgent
from agents.sought import EVERYTHING
from core.events import SYSTEM
from core.labels.services import remove_label
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.failures import put_failures_into_one_hour

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
STACK, OTHER = UUID(int=1), UUID(int=2)


def failure(
    number: int,
    message: str | None,
    *,
    stack: UUID = STACK,
    version: int = 7,
    minutes: int = 0,
    agents: int = 1,
) -> Failure:
    began = NOW - timedelta(minutes=minutes)
    last_seen = NOW + timedelta(minutes=number)
    return Failure(stack, version, message, True, agents, began - timedelta(minutes=1), began, last_seen)


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
    (group,) = grouped([failure(1, "took 5 s", minutes=50, agents=3), failure(2, "took 7 s", minutes=10)])
    assert (group.agents, group.message, group.sequence_id) == (4, "took 7 s", 7)
    assert (group.first, group.latest) == (NOW - timedelta(minutes=51), NOW - timedelta(minutes=10))
    assert group.last_seen == NOW + timedelta(minutes=2)


def test_the_newest_group_comes_first_and_of_the_same_hour_the_widest():
    old = [failure(number, "old", minutes=120) for number in range(5)]
    narrow, wide = (
        [failure(6, "narrow")],
        [failure(number, "wide", stack=OTHER, version=8, minutes=9) for number in (7, 8)],
    )
    assert [group.message for group in grouped([*narrow, *old, *wide])] == ["wide", "narrow", "old"]


@pytest.mark.django_db
def test_the_most_urgent_groups_are_the_first_of_all_without_reading_all(monkeypatch):
    monkeypatch.setattr(failures, "_STEP", 2)
    agents = [make_agent(active=True, labels=["urgent"])[0] for _ in range(4)]
    for width in (1, 4, 2, 1, 3):
        version = make_object(make_stack(labels=["urgent"]))
        for agent in agents[:width]:
            make_event(agent, version, "FAILURE", f"broke {'a' * width}")
    unserved = make_object(make_stack(labels=["urgent"]))
    for agent in agents:
        make_event(agent, unserved, "FAILURE", "no longer served")
    remove_label(owner=unserved.stack, label="urgent", actor=SYSTEM)
    put_failures_into_one_hour()
    everything = grouped(attention.failures(failing_versions(EVERYTHING), EVERYTHING).rows)
    assert [group.agents for group in everything] == [4, 3, 2, 1, 1]
    urgent = most_urgent(2, EVERYTHING)
    assert urgent.groups[:2] == everything[:2]
    assert not urgent.is_all
    assert most_urgent(9, EVERYTHING) == Urgent(everything, 11, is_all=True)
    assert most_urgent(1, EVERYTHING, at_least=11).deployments == 11


@pytest.mark.django_db
def test_more_failures_of_one_version_than_are_read_are_not_all(monkeypatch):
    version = make_object(make_stack(labels=["many"]))
    for _ in range(3):
        make_event(make_agent(active=True, labels=["many"])[0], version, "FAILURE", "broke")
    for module in (attention, failures):
        monkeypatch.setattr(module, "CANDIDATES", 2)
    urgent = most_urgent(9, EVERYTHING)
    assert (urgent.deployments, urgent.is_all) == (2, False)
