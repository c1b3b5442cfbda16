"""Syncs wait in a room, not in a thread."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from server import waiting_room
from server.waiting_room import WaitingRoom
from sync.news import News
from sync.snapshot import Snapshot

_AGENT = "01a2245f-0ff8-7696-97a9-4c0ba4015a21"
_OTHER = "01a2245f-0ff8-7696-97a9-4c0ba4015a22"


def head(query: str = "?wait_seconds=20&seen=8:8:", *, path: str = f"/api/v1/agents/{_AGENT}/sync") -> bytes:
    return f"POST {path}{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


class Log:
    """What the database would tell next. At first, all below 8 was seen."""

    def __init__(self) -> None:
        self.next = News(Snapshot(8))
        self.asked: list[Snapshot] = []

    def since(self, seen: Snapshot) -> News:
        self.asked.append(seen)
        return self.next


@pytest.fixture
def log(monkeypatch: Any) -> Log:
    made = Log()
    monkeypatch.setattr(waiting_room, "news_since", made.since)
    # The thread would look at times of its own.
    monkeypatch.setattr(WaitingRoom, "_watch", lambda _: None)
    return made


@pytest.fixture
def room(log: Log) -> Iterator[WaitingRoom]:
    made = WaitingRoom(2)
    yield made
    made.close()


def test_it_is_answered_when_something_changes(room, log):
    assert room.take_in("a", head(), 0.0)
    room.look()
    assert room.take_out(1.0) == []
    log.next = News(Snapshot(9), for_all=[8])
    room.look()
    assert room.take_out(1.0) == ["a"]
    assert len(room) == 0


def test_it_is_answered_when_its_time_is_over(room):
    room.take_in("a", head(), 0.0)
    assert room.take_out(19.9) == []
    assert room.take_out(20.0) == ["a"]


def test_what_is_no_news_to_agents_wakes_nobody(room, log):
    room.take_in("a", head(), 0.0)
    log.next = News(Snapshot(10))
    room.look()
    assert room.take_out(1.0) == []


def test_who_missed_a_change_does_not_wait(room, log):
    room.take_in("a", head(), 0.0)
    log.next = News(Snapshot(9), for_all=[8])
    room.look()
    assert not room.take_in("b", head(), 0.0)
    assert room.take_in("c", head("?wait_seconds=20&seen=9:9:"), 0.0)


def test_a_change_that_was_being_made_wakes_who_saw_the_one_after_it(room, log):
    room.take_in("a", head("?wait_seconds=20&seen=8:10:8"), 0.0)
    log.next = News(Snapshot(10, frozenset({8})), for_all=[9])
    room.look()
    assert room.take_out(1.0) == []
    log.next = News(Snapshot(10), for_agents={UUID(_AGENT): [8]})
    room.look()
    assert room.take_out(1.0) == ["a"]
    assert log.asked[-1] == Snapshot(10, frozenset({8}))
    assert not room.take_in("again", head("?wait_seconds=20&seen=8:10:8"), 1.0)
    assert room.take_in("knows", head("?wait_seconds=20&seen=10:10:"), 1.0)


def test_who_saw_less_than_the_first_does_not_wait(room):
    assert room.take_in("a", head(), 0.0)
    assert not room.take_in("b", head("?wait_seconds=20&seen=7:9:7"), 0.0)


def test_too_many_changes_to_be_named_wake_all_who_have_not_seen_them(room, log):
    room.take_in("a", head(), 0.0)
    log.next = News(Snapshot(900), is_incomplete=True)
    room.look()
    assert room.take_out(1.0) == ["a"]
    assert room.take_in("b", head("?wait_seconds=20&seen=900:900:"), 1.0)


def test_a_change_wakes_those_whom_it_may_concern_and_the_others_go_on_waiting(room, log):
    other = f"/api/v1/agents/{_OTHER}/sync"
    room.take_in("a", head(), 0.0)
    room.take_in("b", head(path=other), 0.0)
    log.next = News(Snapshot(9), for_agents={UUID(_OTHER): [8]})
    room.look()
    assert room.take_out(1.0) == ["b"]
    assert not room.take_in("b", head(path=other), 1.0)
    assert room.take_in("b", head("?wait_seconds=20&seen=9:9:", path=other), 1.0)
    assert room.take_out(1.0) == []


def test_a_number_that_is_not_there_keeps_nobody_else_from_waiting_and_hearing(room, log):
    room.take_in("a", head("?wait_seconds=20&seen=999:999:"), 0.0)
    room.look()
    assert room.take_in("b", head(), 0.0)
    assert room.take_out(1.0) == []
    log.next = News(Snapshot(9), for_all=[8])
    room.look()
    assert room.take_out(1.0) == ["b"]


@pytest.mark.parametrize(
    "query",
    [
        "?seen=8:8:&wait_seconds=20",
        "?wait_seconds=20&seen=8%3A8%3A",
        "?wait_seconds=20&seen=8%3A10%3A8%2c9",
        "?wait_seconds=%320&seen=8:8:",
        "?other=1&wait_seconds=20&seen=8:8:&other",
        "?wait_seconds=1&wait_seconds=20&seen=x&seen=8:8:",
    ],
)
def test_however_a_library_writes_the_query_it_waits(room, query):
    assert room.take_in("a", head(query), 0.0)
    assert room.take_out(19.9) == []
    assert room.take_out(20.0) == ["a"]


@pytest.mark.parametrize(
    "query",
    [
        *(f"?wait_seconds={wrong}&seen=8:8:" for wrong in ("31", "99", "05", "+2", "2.0", "-2", "%D9%A2")),
        *(f"?wait_seconds=20&seen={wrong}" for wrong in ("8:8:x", "8%2B8%2B", "8:8:8" + ",8" * 150)),
        "?wait_seconds=20&seen=8:8:&wait_seconds=99",
    ],
)
def test_what_the_view_refuses_does_not_wait_for_its_refusal(room, query):
    assert not room.take_in("a", head(query), 0.0)


def test_a_full_room_takes_nobody_in(room):
    assert [room.take_in(name, head(), 0.0) for name in "abc"] == [True, True, False]


def test_when_it_closes_everybody_is_answered(room):
    room.take_in("a", head(), 0.0)
    room.close()
    assert room.take_out(0.0) == ["a"]
    assert not room.take_in("b", head(), 0.0)


@pytest.mark.parametrize(
    "other",
    [
        head(""),
        head("?wait_seconds=0&seen=8:8:"),
        head("?wait_seconds=20"),
        head("?wait_seconds=20&seen=8"),
        head("?wait_seconds=20&seen=8:8"),
        head(path=f"/api/v1/agents/{_AGENT}/heartbeat"),
        head(path="/api/v1/agents/------------------------------------/sync"),
        head().replace(b"POST", b"GET"),
    ],
)
def test_other_requests_do_not_wait(room, other):
    assert not room.take_in("a", other, 0.0)
