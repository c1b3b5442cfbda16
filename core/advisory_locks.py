"""Locks on an idea instead of a row.

Those of a transaction are held until it ends and taken before all row locks; many may share one, or one may have it
alone. On SQLite one transaction writes at a time anyway. That of a set-up is held by a process.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connection, connections

from core.prepared import fetch_all_once, is_postgresql


class AdvisoryLock(IntEnum):
    # Shared by whoever changes what is wanted; taken alone by whoever needs that to stand still.
    WANTED_VERSIONS = 0x42524B01
    # Of the one process that migrates or sets up.
    SET_UP = 0x42524B02


_LOOK_EVERY_SECONDS = 0.2


def lock_wanted_versions() -> None:
    """Share the lock for a write that changes what is wanted. Nobody has it alone until the transaction ends.

    Take it before all row locks. The functions that lock a row for such a write take it themselves. If the transaction
    has the lock already, this waits for nobody.
    """
    lock_shared(AdvisoryLock.WANTED_VERSIONS)


def sharing_wanted_versions(condition: str) -> str:
    """The condition of a SELECT that locks rows, which takes the lock of `lock_wanted_versions` in the same statement.

    PostgreSQL takes it before it locks a row, and reads the row as it is after all waiting. If no row meets the
    condition, nothing is locked.
    """
    if not is_postgresql():
        return condition
    return f"{condition} AND pg_advisory_xact_lock_shared({AdvisoryLock.WANTED_VERSIONS.value}) IS NOT NULL"


def lock_shared(lock: AdvisoryLock) -> None:
    """Wait until nobody has it alone."""
    _lock("pg_advisory_xact_lock_shared", lock)


def lock_alone(lock: AdvisoryLock) -> None:
    """Wait until nobody shares it; who wants to share it waits from now on."""
    _lock("pg_advisory_xact_lock", lock)


def _lock(function: str, lock: AdvisoryLock) -> None:
    if is_postgresql():
        fetch_all_once(f"SELECT {function}(%(lock)s)", {"lock": lock.value})


@contextmanager
def set_up_alone() -> Iterator[None]:
    """Let one process at a time migrate or set up the database; the others wait. Raises Django's database errors."""
    database = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        with _locked_on_postgresql():
            yield
    elif ":memory:" in str(database) or "mode=memory" in str(database) or not Path(database).parent.is_dir():
        # Nobody else sees it, or it cannot be opened.
        yield
    else:
        with Path(f"{database}.set-up").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def _locked_on_postgresql() -> Iterator[None]:
    # In a transaction of a connection of its own, because a pooler gives each transaction another session. Asking again
    # and again, because waiting for the lock would end at the time-outs.
    holder = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            while True:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [AdvisoryLock.SET_UP.value])
                if cursor.fetchone() == (True,):
                    break
                time.sleep(_LOOK_EVERY_SECONDS)
            yield
    finally:
        holder.close()
