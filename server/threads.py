"""The threads of a web process that answer requests, in the shape of the pool that gunicorn expects."""

import threading
from collections import deque
from collections.abc import Callable

from server.connections import Arrival, Connection
from server.request_queue import RequestQueue

# How long a thread waits for the next request on a connection before it gives the connection back.
_NEXT_REQUEST_SECONDS = 0.01


class Threads:
    """The threads that answer requests. `shutdown` is what gunicorn calls of a pool."""

    def __init__(self, queue: RequestQueue, number: int) -> None:
        self._queue = queue
        self._number = number
        # For each thread that may wait for a next request. One thread always remains for other connections. A deque,
        # because its methods need no lock.
        self._places = deque(range(number - 1))

    def start(self, run: Callable[[], None]) -> None:
        """Start them; each runs the function."""
        for _ in range(self._number):
            threading.Thread(target=run, daemon=True).start()

    def stay_with(self, conn: Connection) -> Arrival:
        """Wait for a moment, in one of the threads, for the next request on the connection."""
        try:
            place = self._places.pop()
        except IndexError:
            return Arrival.PART
        try:
            return conn.receive_within(_NEXT_REQUEST_SECONDS)
        finally:
            self._places.append(place)

    def shutdown(self, *, wait: bool) -> None:  # noqa: ARG002  gunicorn never waits
        """Let the threads end after what they answer now."""
        self._queue.close()
