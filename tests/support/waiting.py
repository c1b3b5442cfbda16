"""Letting a second transaction run until it waits for the first, on PostgreSQL."""

import time
from concurrent.futures import Future
from typing import Any

from django.db import connection

_PATIENCE = 30.0


def until_it_waits_or_ends(work: "Future[Any]") -> None:
    """Return when another session waits for a lock, or when `work` has ended without waiting."""
    deadline = time.monotonic() + _PATIENCE
    while not work.done():
        with connection.cursor() as cursor:
            # Not pg_stat_activity: within a transaction it keeps answering what it answered first.
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
        assert time.monotonic() < deadline, "it neither waits nor ends"
        time.sleep(0.01)
