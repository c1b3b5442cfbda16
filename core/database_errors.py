"""What the database's errors mean to a caller."""

from django.db import Error, InterfaceError, OperationalError

from core.errors import Busy, DatabaseUnavailable, Unavailable

# lock_not_available, deadlock_detected, serialization_failure; and SQLite's word for it.
_LOCKED = {"55P03", "40P01", "40001", "SQLITE_BUSY"}
# For psycopg these are internal errors: what a database refuses that only reads, and the end of a session that was idle
# for too long.
_UNAVAILABLE = {"25006", "25P03", "25P04"}


def unavailable(error: Error) -> Unavailable | None:
    """The refusal when the database cannot do it now and may later; None for a mistake of ours."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", "")
    if state in _LOCKED:
        return Busy()
    if isinstance(error, OperationalError | InterfaceError) or state in _UNAVAILABLE:
        return DatabaseUnavailable()
    return None
