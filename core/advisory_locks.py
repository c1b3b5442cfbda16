"""Locks on an idea instead of a row, held until the transaction ends; taken before all row locks.

Many may share one, or one may have it alone. On SQLite one transaction writes at a time anyway.
"""

from enum import IntEnum

from django.db import connection


class AdvisoryLock(IntEnum):
    # Shared by whoever changes what is wanted; taken alone by whoever needs that to stand still.
    WANTED_VERSIONS = 0x42524B01


def lock_wanted_versions() -> None:
    """Share the lock for a write that changes what is wanted. Nobody has it alone until the transaction ends.

    Take it before all row locks. The functions that lock a row for such a write take it themselves. If the transaction
    has the lock already, this waits for nobody.
    """
    lock_shared(AdvisoryLock.WANTED_VERSIONS)


def lock_shared(lock: AdvisoryLock) -> None:
    """Wait until nobody has it alone."""
    _lock("pg_advisory_xact_lock_shared", lock)


def lock_alone(lock: AdvisoryLock) -> None:
    """Wait until nobody shares it; who wants to share it waits from now on."""
    _lock("pg_advisory_xact_lock", lock)


def _lock(function: str, lock: AdvisoryLock) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [lock.value])
