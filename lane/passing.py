"""Which requests pass by the lane, because it has declined them already. The server can import this before Django."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Thread(threading.local):
    is_declined: bool = False


_thread = _Thread()


def passes_by() -> bool:
    """Whether the request that this thread answers passes by the lane."""
    return _thread.is_declined


@contextmanager
def declined(is_declined: bool) -> Iterator[None]:  # noqa: FBT001  the name says it
    """Say of the request that this thread answers meanwhile whether the lane has declined it."""
    _thread.is_declined = is_declined
    try:
        yield
    finally:
        _thread.is_declined = False
