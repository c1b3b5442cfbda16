"""What the database's errors mean to a caller."""

from django.db import Error, InterfaceError, OperationalError, connection

from core.errors import Busy, DatabaseUnavailable, Unavailable

_READ_ONLY = "25006"
# lock_not_available, deadlock_detected; and SQLite's word for it.
_LOCKED = {"55P03", "40P01", "SQLITE_BUSY"}
# For psycopg these are internal errors: what a standby refuses, and the end of a session that was idle for too long.
_UNAVAILABLE = {_READ_ONLY, "25P03", "25P04"}


def unavailable(error: Error) -> Unavailable | None:
    """The refusal when the database cannot do it now and may later; None for a mistake of ours."""
    state = _state(error)
    if state in _LOCKED:
        return Busy()
    if isinstance(error, OperationalError | InterfaceError) or state in _UNAVAILABLE:
        return DatabaseUnavailable()
    return None


def is_read_only(error: Error) -> bool:
    """Whether the database only reads, as a standby does."""
    return _state(error) == _READ_ONLY


def leave_read_only() -> None:
    """Drop this thread's connection after the request: the server that writes may be another one by now."""
    connection.close_at = 0


def _state(error: Error) -> str:
    cause = error.__cause__
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", ""))
