"""Who may hold the threads of a process while the database keeps them waiting."""

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import pytest

from core import admission
from core.errors import Busy
from tests.support.api import refused


@contextmanager
def stuck(*holds: tuple[Hashable, ...]) -> Iterator[list[bool]]:
    """Other threads' requests that wait for the database, by their keys; whether each may go on waiting."""
    others = []
    for keys in holds:
        hold = admission.Hold(time.monotonic() + 8)
        hold.keys = keys
        others.append(hold)
    try:
        yield [admission.may_stay_stuck(hold) for hold in others]
    finally:
        admission._stuck.difference_update(others)


@pytest.fixture(autouse=True)
def _a_request_of_this_thread(settings) -> Iterator[None]:
    settings.WEB_THREADS = 4
    admission.begin(time.monotonic() + 8)
    yield
    admission.end()


def test_half_of_the_threads_may_be_stuck_over_one_thing_and_the_next_gives_way():
    with stuck(("row a",), ("row a",), ("row a",)) as may_stay:
        assert may_stay == [True, True, False]


def test_what_shares_a_key_with_the_stuck_half_is_refused_at_once():
    with stuck(("row a", "caller 1"), ("row a", "caller 2")), pytest.raises(Busy):
        admission.admit(["row a", "caller 3"])


def test_what_shares_no_key_with_the_stuck_half_goes_on():
    with stuck(("row a", "caller 1"), ("row a", "caller 1")):
        admission.admit(["row b", "caller 2"])


def test_requests_that_share_a_key_go_on_while_fewer_are_stuck():
    with stuck(("row a",)):
        admission.admit(["row a"])


def test_what_is_over_holds_nothing():
    hold = admission.current()
    hold.keys = ("row a",)
    with stuck(("row a",)):
        assert admission.may_stay_stuck(hold)
        admission.end()
        admission.begin(time.monotonic() + 8)
        admission.admit(["row a"])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_of_few_threads_one_may_be_stuck(settings, threads):
    settings.WEB_THREADS = threads
    with stuck(("row a",)) as may_stay:
        assert may_stay == [True]


def test_the_only_thread_makes_room_for_nobody(settings):
    settings.WEB_THREADS = 1
    with stuck(("row a",)):
        admission.admit(["row a"])


def test_outside_of_a_web_process_nothing_is_counted():
    admission.end()
    with stuck(("row a",), ("row a",)):
        admission.admit(["row a"])
    assert admission.current() is None


@pytest.mark.django_db
def test_a_refused_request_is_told_to_come_back_in_a_second(admin):
    with stuck((("GET", "api/v1/stacks"),), (("GET", "api/v1/stacks"),)):
        response = admin.get("/stacks")
    refused(response, 503, "busy")
    assert response.headers["Retry-After"] == "1"
    assert admin.get("/stacks").status_code == 200
