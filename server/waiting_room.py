"""Syncs that wait for news without a thread: they are given to one when something changes, or when their time is over.

The main thread puts them in and takes them out. As long as anybody waits, a thread of the room asks the database twice
a second what has changed and for whom. So a change wakes those whom it may concern, and the others go on waiting.
"""

import logging
import re
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import Error, connections

from sync.news import news_since

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 30
_WAITS = re.compile(
    rb"POST /api/v1/agents/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/sync"
    rb"\?wait_seconds=([0-9]{1,2})&seen=([0-9]{1,18}) HTTP/1\.[01]\r\n"
)
_ASKED_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class _Guest:
    agent_id: UUID
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
        # The numbers of the latest change that was read, of the latest that may be news to everybody, and of the latest
        # that may be news to an agent. Of changes before the first guest came nothing is known.
        self._read = self._for_all = 0
        self._for_agents: dict[UUID, int] = {}
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
        seconds, seen = min(int(asked[2]), LONGEST_SECONDS), int(asked[3])
        guest = _Guest(UUID(asked[1].decode()), now + seconds, seen)
        if not seconds or self._has_news(guest):
            return False
        self._guests[request] = guest
        if self._thread is None:
            self._read = self._for_all = seen
            self._thread = threading.Thread(target=self._watch, name="waiting-room", daemon=True)
            self._thread.start()
        self._occupied.set()
        return True

    def take_out(self, now: float) -> list[Any]:
        """The requests to be answered now."""
        if not self._guests:
            return []
        is_closed = self._closed.is_set()
        called = [
            request
            for request, guest in self._guests.items()
            if is_closed or guest.until <= now or self._has_news(guest)
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
        news = news_since(self._read)
        if news.latest < self._read:
            # A request named a number that is not there: it may be from before a restore, or made up.
            self._for_all = news.latest
            self._for_agents.clear()
        else:
            self._for_agents.update(news.for_agents)
            self._for_all = max(self._for_all, news.for_all)
        self._read = news.latest

    def _has_news(self, guest: _Guest) -> bool:
        return max(self._for_all, self._for_agents.get(guest.agent_id, 0)) > guest.seen

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
