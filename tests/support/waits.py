"""Waiting for what another thread or process does, and how long something took."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

# Only a bound for what never comes: on a machine that has much else to do, being slow is not being wrong.
_PATIENCE = 120.0


def wait_for(condition: Callable[[], bool], *, patience: float = _PATIENCE) -> None:
    """Return when the condition is true. Fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)


def seconds_since(moment: datetime) -> int:
    """The seconds that have passed, rounded up: by no more can an age have grown, however slow the machine is."""
    return math.ceil((timezone.now() - moment).total_seconds())


def until_it_waits_or_ends(work: "Future[Any]") -> None:
    """Let a second transaction run on PostgreSQL.

    Return when a session waits for a lock, or when `work` has ended without waiting.
    """
    wait_for(lambda: work.done() or blocked_sessions() > 0)


def blocked_sessions() -> int:
    """How many sessions of this test's database wait for a lock on PostgreSQL.

    Other databases of the same server are those of tests that run at the same time.
    """
    with connection.cursor() as cursor:
        # By default, PostgreSQL does not refresh the view during a transaction.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])
