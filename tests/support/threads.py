"""Real concurrency for tests: threads with their own connections, which start at the same moment.

It is for tests marked `requires_postgres` and `django_db(transaction=True)`, because each thread commits its writes.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from django.db import connection, connections

from core.events import event_emitted
from tests.support.api import Api
from tests.support.waits import blocked_sessions

_Result = TypeVar("_Result")
PATIENCE_SECONDS = 120.0


class Running(Generic[_Result]):
    """Running jobs, each in its own thread."""

    def __init__(self, jobs: Sequence[Callable[[], _Result]]) -> None:
        self._results: dict[int, _Result] = {}
        self._errors: list[BaseException] = []
        barrier = threading.Barrier(len(jobs))

        def run(index: int, job: Callable[[], _Result]) -> None:
            try:
                # Connect before the start, so that the handshake does not decide which thread is first.
                connection.ensure_connection()
                barrier.wait(PATIENCE_SECONDS)
                self._results[index] = job()
            except BaseException as error:  # noqa: BLE001  # re-raised in the test's thread
                self._errors.append(error)
                barrier.abort()
            finally:
                connections.close_all()

        self._threads = [
            threading.Thread(target=run, args=(index, job), daemon=True) for index, job in enumerate(jobs)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> list[_Result]:
        """The results in the order of the jobs. Raises what a job raised, and TimeoutError if a job hangs."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            raise TimeoutError("a job did not end; the database may be waiting for a lock")
        if self._errors:
            raise self._errors[0]
        return [self._results[index] for index in range(len(self._threads))]


def together(*jobs: Callable[[], _Result]) -> list[_Result]:
    """Run the jobs at the same moment. Returns their results."""
    return Running(jobs).join()


def wait_until_blocked(count: int) -> None:
    """Return when `count` sessions wait for a lock. Raises TimeoutError if they do not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if blocked_sessions() >= count:
            return
        time.sleep(0.005)
    raise TimeoutError(f"fewer than {count} sessions wait for a lock")


@contextmanager
def slow_transactions(seconds: float = 0.01) -> Iterator[None]:
    """Make every change wait between its last write and its commit, so that races become likely."""

    def dwell(**kwargs: Any) -> None:
        time.sleep(seconds)

    event_emitted.connect(dwell)
    try:
        yield
    finally:
        event_emitted.disconnect(dwell)


def call(api: Api, method: str, path: str, body: object = ...) -> Callable[[], Any]:
    """A job: one request by the same caller, with its own client."""
    client = Api(api.key)
    return lambda: client.request(method, path, body)


def calls(times: int, api: Api, method: str, path: str, body: object = ...) -> Callable[[], list[Any]]:
    """A job: the same request several times in a row."""
    one = call(api, method, path, body)
    return lambda: [one() for _ in range(times)]


def statuses(responses: Sequence[Any]) -> list[int]:
    return sorted(response.status_code for response in responses)
