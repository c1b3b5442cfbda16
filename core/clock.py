"""The present moment by the database's clock.

What several machines must agree on is judged by this clock: leases, back-off, silence, retention. Their own clocks may
differ by minutes, or be set while they run.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import connection

from core.prepared import is_postgresql

# Between two comparisons, the machine's counter of seconds, which nobody sets, says how much later it is.
_COMPARED_EVERY_SECONDS = 60.0
# A machine whose clock differs by less goes by its own clock, which is more exact than the comparison.
_TOLERANCE = timedelta(seconds=1)


class _Comparison(NamedTuple):
    """The database's time when the counter was 0, by how much that may be wrong, and the counter at the comparison."""

    zero: datetime
    doubt: timedelta
    counter: float


_latest: _Comparison | None = None


def now() -> datetime:
    """The time of PostgreSQL's machine, to a second; of this machine with SQLite. Raises Django's database errors."""
    global _latest  # noqa: PLW0603  one comparison serves all threads
    own = datetime.now(UTC)
    if not is_postgresql():
        return own
    counter, latest = _counter(), _latest
    if latest is None or counter - latest.counter >= _COMPARED_EVERY_SECONDS:
        _latest = latest = _compare()
        own, counter = datetime.now(UTC), _counter()
    theirs = latest.zero + timedelta(seconds=counter)
    return own if abs(own - theirs) <= _TOLERANCE + latest.doubt else theirs


def difference() -> timedelta:
    """By how much this machine's clock is ahead of PostgreSQL's; zero with SQLite. Raises Django's database errors."""
    if not is_postgresql():
        return timedelta(0)
    compared = _compare()
    return datetime.now(UTC) - (compared.zero + timedelta(seconds=_counter()))


def _compare() -> _Comparison:
    # Not by Django's cursor, whose statements tests count.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    began = _counter()
    with connection.wrap_database_errors:
        ((at,),) = psycopg.Cursor(connection.connection).execute("SELECT clock_timestamp()").fetchall()
    ended = _counter()
    # On a busy machine the answer may be long on its way, and nobody knows how long each way took.
    return _Comparison(
        at - timedelta(seconds=(began + ended) / 2), timedelta(seconds=(ended - began) / 2), ended
    )


def _counter() -> float:
    # It goes on while the machine sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME)
