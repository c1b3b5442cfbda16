"""Syncs that wait for news without a thread: they are given to one when something changes, or when their time is over.

The main thread puts them in and takes them out. As long as anybody waits, a thread of the room asks the database twice
a second whether anything has changed. Who is woken by a change that is about others costs a sync.
"""

import logging
import re
import threading
from dataclasses import dataclass
from typing import Any

from django.db import Error, connections

from sync.news import changes_since

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 30
_WAITS = re.compile(
    rb"POST /api/v1/agents/[0-9a-fA-F-]{36}/sync\?wait_seconds=([0-9]{1,2})&seen=([0-9]{1,18}) HTTP/1\.[01]\r\n"
)
_ASKED_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class _Guest:
    until: float
    seen: int


def asks_to_wait(head: bytes) -> bool:
    """Whether the request with this head asks to wait for news."""
    return _WAITS.match(head) is not None


class WaitingRoom:
    """Holds at most `places` requests; who finds none is answered at once, as is everybody after `close`."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._guests: dict[Any, _Guest] = {}
        # The number of the latest change that was read, and of the latest that may be news.
        self._read = self._news = 0
        self._occupied = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._guests)

    def take_in(self, request: Any, head: bytes, now: float) -> bool:
        """Let the request with this head wait, if it asks for that and has not missed anything."""
        asked = _WAITS.match(head)
        if asked is None or len(self._guests) >= self._places or self._closed.is_set():
            return False
        seconds, seen = min(int(asked[1]), LONGEST_SECONDS), int(asked[2])
        if not seconds or self._news > seen:
            return False
        self._guests[request] = _Guest(now + seconds, seen)
        if self._thread is None:
            self._read = self._news = seen
            self._thread = threading.Thread(target=self._watch, name="waiting-room", daemon=True)
            self._thread.start()
        self._occupied.set()
        return True

    def take_out(self, now: float) -> list[Any]:
        """The requests to be answered now."""
        if not self._guests:
            return []
        news, is_closed = self._news, self._closed.is_set()
        called = [
            request
            for request, guest in self._guests.items()
            if is_closed or guest.until <= now or news > guest.seen
        ]
        for request in called:
            del self._guests[request]
        if not self._guests:
            self._occupied.clear()
        return called

    def close(self) -> None:
        """Let nobody wait any more."""
        self._closed.set()
        self._occupied.set()

    def look(self) -> None:
        """Ask the database once. Raises Django's database errors."""
        before = self._read
        self._read, news = changes_since(before)
        if self._read < before:
            # A request named a number that is not there: it may be from before a restore, or made up.
            self._news = self._read
        elif news > before:
            self._news = news

    def _watch(self) -> None:
        while not self._closed.is_set():
            self._occupied.wait()
            try:
                self.look()
            except Error as error:
                # Who waits is answered at the end of his time, and hears then what is wrong.
                logger.warning("cannot look for changes: %s", type(error).__name__)
                connections.close_all()
            self._closed.wait(_ASKED_EVERY)
        connections.close_all()
