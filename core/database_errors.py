"""What the database's errors mean to a caller."""

import re
import time
from collections import deque

from django.db import Error, InterfaceError, OperationalError, ProgrammingError

from core.errors import Busy, DatabaseUnavailable, StorageFull, Unavailable

# lock_not_available, deadlock_detected, serialization_failure; and SQLite's word for it.
_LOCKED = {"55P03", "40P01", "40001", "SQLITE_BUSY"}
# For psycopg these are internal errors: what a database refuses that only reads, and the end of a session that was idle
# for too long.
_UNAVAILABLE = {"25006", "25P03", "25P04"}
# disk_full, and SQLite's words for it; the second is about the file that its processes share.
_FULL = {"53100", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_WRITE"}
# query_canceled, which is also the end of a statement that took too long. If it was waiting for somebody's lock on a
# row, PostgreSQL names the place of the row, such as "(3,14)", whatever language it speaks.
_CANCELED = "57014"
_ROW = re.compile(r"\(\d+,\d+\)")
# undefined_table, undefined_column. SQLite calls both an operational error.
_NOT_MIGRATED = {"42P01", "42703"}
# For how long after such an error the database counts as full. Nothing else tells.
_FULL_SECONDS = 30.0
# When the latest such error came, if one came.
_full: deque[float] = deque(maxlen=1)


def is_full() -> bool:
    """Whether the database had no room left for a change of this process just now."""
    return bool(_full) and time.monotonic() - _full[0] < _FULL_SECONDS


def unavailable(error: Error) -> Unavailable | None:
    """The refusal when the database cannot do it now and may later; None for a mistake of ours."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", "")
    if state in _LOCKED or (state == _CANCELED and _waited_for_row(cause)):
        return Busy()
    if state in _FULL:
        _full.append(time.monotonic())
        return StorageFull()
    if isinstance(error, OperationalError | InterfaceError) or state in _UNAVAILABLE:
        return DatabaseUnavailable()
    return None


def _waited_for_row(cause: object) -> bool:
    """Whether a statement was waiting for a locked row when it ended. Each wait of several may have been short."""
    context = getattr(getattr(cause, "diag", None), "context", None)
    return bool(context and _ROW.search(context))


def cannot_be_used(error: Error) -> bool:
    """Whether the database cannot be reached or is not migrated. Otherwise it is a mistake of ours."""
    not_migrated = (
        isinstance(error, ProgrammingError) and getattr(error.__cause__, "sqlstate", "") in _NOT_MIGRATED
    )
    return not_migrated or unavailable(error) is not None


def unusable_sentence(error: Error) -> str:
    """The one sentence that a command says of it."""
    reason = " ".join(str(error).split())
    return f"The database cannot be used: {reason}. Is it running, and was `manage.py migrate` run?"
