"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from django.db import connection

_PATIENCE = 30.0


def wait_for(condition: Callable[[], bool], *, patience: float = _PATIENCE) -> None:
    """Return when the condition is true. Fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)


def until_it_waits_or_ends(work: "Future[Any]") -> None:
    """Let a second transaction run on PostgreSQL.

    Return when a session waits for a lock, or when `work` has ended without waiting.
    """
    deadline = time.monotonic() + _PATIENCE
    while not work.done():
        with connection.cursor() as cursor:
            # This is not pg_stat_activity, because inside a transaction that view always gives its first answer again.
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
        assert time.monotonic() < deadline, "it neither waits nor ends"
        time.sleep(0.01)
