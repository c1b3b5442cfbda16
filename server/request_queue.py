"""The requests of one web process that wait for a thread, and which of them comes next.

Requests for one row, by one caller or of one kind hold at most half of the threads, whatever keeps them: a lock, a long
computation, a client that reads slowly. What waits is ordered by kind: vital kinds first, then the others in turn. One
thread answers vital requests only.
"""

import threading
import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

# More could not be answered in time, however quick they are.
_MOST_WAITING = 4096
# How many requests of one kind are looked at for one whose caller and row have a share left.
_LOOKED_AT = 256
# Who comes is refused while those of his kind get their thread only after this part of the patience, and many wait.
_TOO_LATE = 0.5
_MANY = 64
# With fewer threads, none can be kept for vital requests.
_ENOUGH_THREADS = 4


@dataclass(slots=True, eq=False)
class Waiting:
    """A whole request on its connection. `arrived` is in seconds of the monotonic clock.

    `shares` are the things of which it may hold only a part of the threads: its kind comes first, then its caller and
    rows, as far as it has them.
    """

    connection: Any
    arrived: float
    shares: tuple[Hashable, ...]
    is_vital: bool = False


@dataclass(slots=True)
class _Lane:
    """The requests of one kind, and for how many seconds the latest that got a thread had waited for it."""

    requests: deque[Waiting] = field(default_factory=deque)
    delay: float = 0.0


class RequestQueue:
    """Safe for several threads. A request is held from `take` to `done`."""

    def __init__(self, *, threads: int, patience_seconds: float) -> None:
        # If there is only one thread, no other request could use it.
        self._share = max(1, threads // 2)
        # One thread is only for vital requests, which would otherwise wait for the end of bodies and reports.
        self._most_others = threads - 1 if threads >= _ENOUGH_THREADS else threads
        self._others_held = 0
        self._patience = patience_seconds
        self._changed = threading.Condition()
        # By share, how many of the requests that are answered now have it. The methods of a Counter would be slow.
        self._held: dict[Hashable, int] = {}
        # By kind. The kind that was served last is at the end.
        self._vital: dict[Hashable, _Lane] = {}
        self._others: dict[Hashable, _Lane] = {}
        self._length = 0
        self._answered = 0
        self._is_closed = False

    @property
    def answered_now(self) -> int:
        """How many requests have a thread now."""
        return self._answered

    def __len__(self) -> int:
        return self._length

    def put(self, request: Waiting) -> bool:
        """Let the request wait. False if it could not be answered in time, because too many wait already."""
        with self._changed:
            lanes = self._vital if request.is_vital else self._others
            lane = lanes.setdefault(request.shares[0], _Lane())
            is_slow = len(lane.requests) >= _MANY and lane.delay > _TOO_LATE * self._patience
            if is_slow or self._length >= _MOST_WAITING:
                return False
            lane.requests.append(request)
            self._length += 1
            # A thread that is woken and finds nothing costs as much as handing a request over.
            if self._has_room_for(request):
                self._changed.notify()
            return True

    def take(self) -> Waiting | None:
        """Wait for a request that may be answered now, and is not late yet. None after `close`."""
        with self._changed:
            while not self._is_closed:
                if (request := self._next()) is not None:
                    self._take_out(request)
                    # What was released before this may have been the shares of two.
                    if self._next() is not None:
                        self._changed.notify()
                    return request
                self._changed.wait()
            return None

    def done(self, request: Waiting) -> None:
        """Let others have what the request held. The thread that ends it takes the next itself."""
        with self._changed:
            self._release(request)

    def exchange(self, over: Waiting, following: Waiting) -> bool:
        """End a request and hold the one that follows it on its connection, unless that one must wait."""
        with self._changed:
            if self._length:
                return False
            self._release(over)
            if self._has_room_for(following):
                self._hold(following)
                return True
            self._hold(over)
            return False

    def give_up(self, now: float) -> list[Waiting]:
        """Take out the requests that have waited for too long."""
        late = []
        with self._changed:
            for lanes in (self._vital, self._others):
                for kind, lane in list(lanes.items()):
                    while lane.requests and now - lane.requests[0].arrived > self._patience:
                        late.append(lane.requests.popleft())
                    if not lane.requests:
                        del lanes[kind]
            self._length -= len(late)
        return late

    def close(self) -> None:
        """End the threads that wait in `take`."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _next(self) -> Waiting | None:
        """The request that comes next, if one may be answered now."""
        if not self._length:
            return None
        earliest = time.monotonic() - self._patience
        for lanes in (self._vital, self._others):
            for kind, lane in lanes.items():
                if self._held.get(kind, 0) >= self._share:
                    continue
                for request in islice(lane.requests, _LOOKED_AT):
                    # A late one has too little time left to wait for a lock. `give_up` takes it out.
                    if request.arrived >= earliest and self._has_room_for(request):
                        return request
        return None

    def _has_room_for(self, request: Waiting) -> bool:
        if not request.is_vital and self._others_held >= self._most_others:
            return False
        for share in request.shares:  # noqa: SIM110  a generator would take three times as long
            if self._held.get(share, 0) >= self._share:
                return False
        return True

    def _take_out(self, request: Waiting) -> None:
        lanes, kind = (self._vital if request.is_vital else self._others), request.shares[0]
        lane = lanes.pop(kind)
        lane.requests.remove(request)
        if lane.requests:
            lane.delay = time.monotonic() - request.arrived
            lanes[kind] = lane
        self._length -= 1
        self._hold(request)

    def _hold(self, request: Waiting) -> None:
        self._others_held += not request.is_vital
        self._answered += 1
        for share in request.shares:
            self._held[share] = self._held.get(share, 0) + 1

    def _release(self, request: Waiting) -> None:
        self._others_held -= not request.is_vital
        self._answered -= 1
        for share in request.shares:
            if self._held[share] == 1:
                del self._held[share]
            else:
                self._held[share] -= 1
