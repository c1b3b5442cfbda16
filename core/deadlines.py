"""Until when the request of this thread may wait for the database."""

import threading
import time


class _Current(threading.local):
    deadline: float | None = None


_current = _Current()


def begin(deadline: float) -> None:
    """Note that this thread begins to answer a request, which must be answered at `deadline` (monotonic seconds)."""
    _current.deadline = deadline


def end() -> None:
    """Note that the request of this thread has ended."""
    _current.deadline = None


def extend(seconds: float) -> None:
    """Move the deadline of this thread's request."""
    if _current.deadline is not None:
        _current.deadline += seconds


def seconds_left() -> float | None:
    """The seconds until the deadline, negative after it; None outside the threads of a web process."""
    return None if _current.deadline is None else _current.deadline - time.monotonic()
