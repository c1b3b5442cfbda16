"""Limits how many threads of a web process stuck requests may hold, so that other requests can be answered.

A request is stuck after it has waited for the database for `STUCK_SECONDS`. Stuck requests that share a row, a caller
or a kind of call may hold half of the threads; further requests like them are refused as `Busy`. Requests that are
answered quickly are never counted.
"""

import threading
import time
from collections.abc import Hashable, Iterable

from django.conf import settings

from core.errors import Busy

STUCK_SECONDS = 0.5


class Hold:
    """A request in its thread. It must be answered at `deadline`, in seconds of the monotonic clock."""

    __slots__ = ("deadline", "keys")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.keys: tuple[Hashable, ...] = ()

    @property
    def seconds_left(self) -> float:
        """The seconds until the deadline; negative after it."""
        return self.deadline - time.monotonic()


class _Current(threading.local):
    hold: Hold | None = None


_current = _Current()
_stuck: set[Hold] = set()
_lock = threading.Lock()


def begin(deadline: float) -> None:
    """Note that this thread begins to answer a request."""
    _current.hold = Hold(deadline)


def end() -> None:
    """Note that the request of this thread has ended."""
    hold, _current.hold = _current.hold, None
    # Almost always no request is stuck, and then no lock is taken.
    if _stuck and hold is not None:
        with _lock:
            _stuck.discard(hold)


def current() -> Hold | None:
    """The request that this thread answers; None outside the threads of a web process."""
    return _current.hold


def extend(seconds: float) -> None:
    """Move the deadline of this thread's request."""
    if _current.hold is not None:
        _current.hold.deadline += seconds


def admit(keys: Iterable[Hashable]) -> None:
    """Let the request of this thread go on, under these keys. Raises Busy if the share of one key is full."""
    hold = _current.hold
    if hold is None:
        return
    hold.keys = tuple(keys)
    if _stuck:
        with _lock:
            if _is_beyond_its_share(hold):
                raise Busy


def may_stay_stuck(hold: Hold) -> bool:
    """Count the request as stuck until it ends. Returns False if it must be ended, because its share is full."""
    with _lock:
        if hold not in _stuck and _is_beyond_its_share(hold):
            return False
        _stuck.add(hold)
        return True


def _is_beyond_its_share(hold: Hold) -> bool:
    share = max(1, settings.WEB_THREADS // 2)
    # If there is only one thread, no other request could use it.
    return settings.WEB_THREADS > 1 and any(
        sum(key in other.keys for other in _stuck) >= share for key in hold.keys
    )
