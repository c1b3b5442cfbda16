"""Who holds the threads of a web process, and until when: so that what is stuck leaves room for everything else.

A request is stuck once the database has kept it waiting for `STUCK_SECONDS`. Requests that share a row, a caller or
a kind of call may hold half of the threads while they are stuck; what comes beyond that is refused as `Busy`.
Requests that go through quickly are never counted, however many they are.
"""

import threading
import time
from collections.abc import Hashable, Iterable

from django.conf import settings

from core.errors import Busy

STUCK_SECONDS = 0.5


class Hold:
    """One request in its thread. `deadline` is when it must be answered, in seconds of the monotonic clock."""

    __slots__ = ("deadline", "keys")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.keys: tuple[Hashable, ...] = ()

    @property
    def seconds_left(self) -> float:
        """Negative when the deadline has passed."""
        return self.deadline - time.monotonic()


class _Current(threading.local):
    hold: Hold | None = None


_current = _Current()
_stuck: set[Hold] = set()
_lock = threading.Lock()


def begin(deadline: float) -> None:
    """This thread now answers a request."""
    _current.hold = Hold(deadline)


def end() -> None:
    """The request is over."""
    hold, _current.hold = _current.hold, None
    # Almost always nothing is stuck, and no lock is taken then.
    if _stuck and hold is not None:
        with _lock:
            _stuck.discard(hold)


def current() -> Hold | None:
    """What this thread is answering; None outside of a web process's threads."""
    return _current.hold


def extend(seconds: float) -> None:
    """Move the deadline of this thread's request."""
    if _current.hold is not None:
        _current.hold.deadline += seconds


def admit(keys: Iterable[Hashable]) -> None:
    """Let the request of this thread go on, known by these keys. Raises Busy when one of them holds its share."""
    hold = _current.hold
    if hold is None:
        return
    hold.keys = tuple(keys)
    if _stuck:
        with _lock:
            if _is_beyond_its_share(hold):
                raise Busy


def may_stay_stuck(hold: Hold) -> bool:
    """Count the request as stuck until it ends. False when it must give way, because its share is taken."""
    with _lock:
        if hold not in _stuck and _is_beyond_its_share(hold):
            return False
        _stuck.add(hold)
        return True


def _is_beyond_its_share(hold: Hold) -> bool:
    share = max(1, settings.WEB_THREADS // 2)
    # With one thread there is nobody to make room for.
    return settings.WEB_THREADS > 1 and any(
        sum(key in other.keys for other in _stuck) >= share for key in hold.keys
    )
