"""Transactions begin and end in any order: who waits hears of each change that he has not seen, and of no other."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import waiting_room
from server.waiting_room import WaitingRoom
from sync.news import News
from sync.snapshot import FORM, MAX_LENGTH, Changes, Snapshot, shortened, snapshot_of

AGENT = UUID("01a2245f-0ff8-7696-97a9-4c0ba4015a21")


class Database:
    """Transactions by number. Each that has ended is a change for the agent."""

    def __init__(self) -> None:
        self.following, self.running = 100, set[int]()
        self.ended: set[int] = set()

    def begin(self) -> None:
        self.running.add(self.following)
        self.following += 1

    def end(self, place: int) -> None:
        if self.running:
            number = sorted(self.running)[place % len(self.running)]
            self.running.discard(number)
            self.ended.add(number)

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.following, frozenset(self.running))

    def unseen(self, seen: Snapshot) -> set[int]:
        return {number for number in self.ended if number >= seen.following or number in seen.running}

    def news_since(self, seen: Snapshot) -> News:
        return News(self.snapshot, for_agents={AGENT: self.unseen(seen)})

    def text(self) -> str:
        running = ",".join(map(str, sorted(self.running)))
        return f"{self.snapshot.oldest}:{self.following}:{running}"


def head(seen: str) -> bytes:
    return f"POST /api/v1/agents/{AGENT}/sync?wait_seconds=30&seen={seen} HTTP/1.1\r\n\r\n".encode()


STEPS = st.lists(
    st.one_of(st.just("begin"), st.integers(0, 5), st.just("note"), st.just("wait"), st.just("look")),
    max_size=40,
)


@given(STEPS)
def test_who_waits_hears_of_what_he_has_not_seen_and_of_nothing_else(steps):
    database, noted = Database(), ["100:100:"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting_room, "news_since", database.news_since)
        patch.setattr(WaitingRoom, "_watch", lambda _: None)
        room = WaitingRoom(1)
        for step in steps:
            match step:
                case "begin":
                    database.begin()
                case "note":
                    noted.append(database.text())
                case "look":
                    room.look()
                case "wait":
                    # An agent comes to wait long after its answer, or at once.
                    for seen in (noted[0], noted[-1]):
                        is_taken_in = room.take_in("guest", head(seen), 0.0)
                        room.look()
                        was_called = not is_taken_in or room.take_out(1.0) == ["guest"]
                        missed = database.unseen(snapshot_of(seen))
                        assert was_called or not missed
                        # Who comes may be answered at once, because the room does not know what he missed.
                        assert missed or not (is_taken_in and was_called)
                        room.take_out(31.0)
                case place:
                    database.end(place)
        room.close()


@given(st.lists(st.integers(0, 60), max_size=60), st.integers(0, 60), st.sets(st.integers(0, 60), max_size=3))
def test_numbers_that_are_forgotten_are_taken_as_unseen(numbers, following, running):
    seen = Snapshot(following, frozenset(each for each in running if each < following))
    changes = Changes()
    for number in numbers:
        changes.add(number)
    has_unseen = any(number >= seen.following or number in seen.running for number in numbers)
    assert changes.has_more_than(seen) or not has_unseen
    if len(set(numbers)) <= 20:
        assert changes.has_more_than(seen) == has_unseen


@given(st.lists(st.integers(10**8, 10**9), min_size=1, max_size=100, unique=True))
def test_a_text_that_is_too_long_says_that_less_was_seen(running):
    text = f"{min(running)}:{10**9 + 1}:{','.join(map(str, running))}"
    short = snapshot_of(shortened(text))
    assert len(shortened(text)) <= MAX_LENGTH
    assert short.oldest == snapshot_of(text).oldest


@pytest.mark.parametrize("text", ["7", "7:8", "7:8:x", "7:8:7,", ":8:", "7:8:7;", "1" * 19 + ":8:"])
def test_other_texts_are_no_snapshots(text):
    assert re.fullmatch(FORM, text) is None
