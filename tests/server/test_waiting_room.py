"""Syncs wait in a room, not in a thread."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from server import waiting_room
from server.waiting_room import WaitingRoom
from sync.news import News

_AGENT = "01a2245f-0ff8-7696-97a9-4c0ba4015a21"
_OTHER = "01a2245f-0ff8-7696-97a9-4c0ba4015a22"


def head(query: str = "?wait_seconds=20&seen=7", *, path: str = f"/api/v1/agents/{_AGENT}/sync") -> bytes:
    return f"POST {path}{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


class Log:
    """The changes that the database would tell of."""

    latest, news = 7, 0

    def __init__(self) -> None:
        self.for_agents: dict[UUID, int] = {}

    def since(self, seen: int) -> News:
        return News(self.latest, self.news if self.news > seen else 0, self.for_agents)


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
    log.latest = log.news = 8
    room.look()
    assert room.take_out(1.0) == ["a"]
    assert len(room) == 0


def test_it_is_answered_when_its_time_is_over(room):
    room.take_in("a", head(), 0.0)
    assert room.take_out(19.9) == []
    assert room.take_out(20.0) == ["a"]


def test_what_is_no_news_to_agents_wakes_nobody(room, log):
    room.take_in("a", head(), 0.0)
    log.latest = 9
    room.look()
    assert room.take_out(1.0) == []


def test_who_missed_a_change_does_not_wait(room, log):
    room.take_in("a", head(), 0.0)
    log.latest = log.news = 8
    room.look()
    assert not room.take_in("b", head(), 0.0)
    assert room.take_in("c", head("?wait_seconds=20&seen=8"), 0.0)


def test_a_change_wakes_those_whom_it_may_concern_and_the_others_go_on_waiting(room, log):
    room.take_in("a", head(), 0.0)
    room.take_in("b", head(path=f"/api/v1/agents/{_OTHER}/sync"), 0.0)
    log.latest, log.for_agents = 8, {UUID(_OTHER): 8}
    room.look()
    assert room.take_out(1.0) == ["b"]
    assert not room.take_in("b", head(path=f"/api/v1/agents/{_OTHER}/sync"), 1.0)
    assert room.take_in("b", head("?wait_seconds=20&seen=8", path=f"/api/v1/agents/{_OTHER}/sync"), 1.0)
    assert room.take_out(1.0) == []


def test_a_number_that_is_not_there_keeps_nobody_else_from_waiting_and_hearing(room, log):
    room.take_in("a", head("?wait_seconds=20&seen=999"), 0.0)
    room.look()
    assert room.take_in("b", head(), 0.0)
    assert room.take_out(1.0) == []
    log.latest = log.news = 8
    room.look()
    assert room.take_out(1.0) == ["b"]


def test_nobody_waits_for_longer_than_allowed(room):
    room.take_in("a", head("?wait_seconds=99&seen=7"), 0.0)
    assert room.take_out(30.0) == ["a"]


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
        head("?wait_seconds=0&seen=7"),
        head("?wait_seconds=20"),
        head("?seen=7&wait_seconds=20"),
        head(path=f"/api/v1/agents/{_AGENT}/heartbeat"),
        head(path="/api/v1/agents/------------------------------------/sync"),
        head().replace(b"POST", b"GET"),
    ],
)
def test_other_requests_do_not_wait(room, other):
    assert not room.take_in("a", other, 0.0)
