"""The threads of a web process that answer requests, in the shape of the pool that gunicorn expects."""

import threading
from collections.abc import Callable

from server.request_queue import RequestQueue


class Threads:
    """The threads that answer requests. `shutdown` is what gunicorn calls of a pool."""

    def __init__(self, queue: RequestQueue) -> None:
        self._queue = queue

    def start(self, number: int, run: Callable[[], None]) -> None:
        """Start so many threads that run the function."""
        for _ in range(number):
            threading.Thread(target=run, daemon=True).start()

    def shutdown(self, *, wait: bool) -> None:  # noqa: ARG002  gunicorn never waits
        """Let the threads end after what they answer now."""
        self._queue.close()
