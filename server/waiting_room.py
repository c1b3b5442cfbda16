"""Syncs that wait for news without a thread: they are given to one when something changes, or when their time is over.

The main thread puts them in and takes them out. As long as anybody waits, a thread of the room asks the database twice
a second what has changed and for whom. So a change wakes those whom it may concern, and the others go on waiting.
"""

import logging
import re
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.db import Error, connections

from sync.news import news_since
from sync.snapshot import FORM, MAX_LENGTH, Changes, Snapshot, snapshot_of

logger = logging.getLogger(__name__)

_SYNC = re.compile(
    rb"POST /api/v1/agents/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/sync\?([!-~]+) HTTP/1\.[01]\r\n"
)
# The values that the view accepts: a request that it refuses must not wait for its refusal.
_SECONDS = re.compile("[1-9]|[12][0-9]|30")
_SEEN = re.compile(FORM)
_ASKED_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class _Guest:
    agent_id: UUID
    until: float
    seen: Snapshot


def asks_to_wait(head: bytes) -> bool:
    """Whether the request with this head asks to wait for news."""
    return _guest(head, 0.0) is not None


def _guest(head: bytes, now: float) -> _Guest | None:
    """Who asks to wait with this head, if it does. Libraries write a query in any order, with escapes."""
    sync = _SYNC.match(head)
    if sync is None:
        return None
    query = dict(parse_qsl(sync[2].decode("ascii")))
    seconds, seen = query.get("wait_seconds", ""), query.get("seen", "")
    if not _SECONDS.fullmatch(seconds) or len(seen) > MAX_LENGTH or not _SEEN.fullmatch(seen):
        return None
    return _Guest(UUID(sync[1].decode("ascii")), now + int(seconds), snapshot_of(seen))


class WaitingRoom:
    """Holds at most `places` requests; who finds none is answered at once, as is everybody after `close`."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._guests: dict[Any, _Guest] = {}
        # What was read of the changes, those that may be news to everybody, and those that may be news to an agent. Of
        # changes before the first guest came nothing is known.
        self._read = Snapshot(0)
        self._for_all = Changes()
        self._for_agents: dict[UUID, Changes] = {}
        self._occupied = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._guests)

    def take_in(self, request: Any, head: bytes, now: float) -> bool:
        """Let the request with this head wait, if it asks for that and has not missed anything."""
        guest = _guest(head, now)
        if guest is None or len(self._guests) >= self._places or self._closed.is_set():
            return False
        if self._has_news(guest):
            return False
        self._guests[request] = guest
        if self._thread is None:
            self._read, self._for_all = Snapshot(guest.seen.oldest), Changes(guest.seen.oldest)
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
        if news.seen.following < self._read.following:
            # A request named a number that is not there: it may be from before a restore, or made up.
            self._for_all = Changes(news.seen.oldest)
            self._for_agents.clear()
        elif news.is_incomplete:
            self._for_all = Changes(news.seen.following)
        else:
            for number in news.for_all:
                self._for_all.add(number)
            for agent_id, numbers in news.for_agents.items():
                for number in numbers:
                    self._for_agents.setdefault(agent_id, Changes()).add(number)
        self._read = news.seen

    def _has_news(self, guest: _Guest) -> bool:
        own = self._for_agents.get(guest.agent_id)
        return self._for_all.has_more_than(guest.seen) or (own is not None and own.has_more_than(guest.seen))

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
