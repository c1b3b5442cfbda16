"""What the database's errors come to: a refusal to try again later, or a mistake of ours."""

import sqlite3

import pytest
from django.db import Error, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from psycopg import errors

from core.database_errors import unavailable


def caused(error: Error, cause: Exception) -> Error:
    error.__cause__ = cause
    return error


def sqlite_is_locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = "SQLITE_BUSY"
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (caused(OperationalError(), errors.LockNotAvailable()), "busy"),
        (caused(OperationalError(), errors.DeadlockDetected()), "busy"),
        (caused(OperationalError(), sqlite_is_locked()), "busy"),
        (caused(OperationalError(), errors.DiskFull()), "storage_full"),
        (caused(OperationalError(), errors.QueryCanceled()), "database_unavailable"),
        (caused(OperationalError(), errors.AdminShutdown()), "database_unavailable"),
        (caused(InternalError(), errors.ReadOnlySqlTransaction()), "database_unavailable"),
        (caused(InternalError(), errors.IdleInTransactionSessionTimeout()), "database_unavailable"),
        (OperationalError(), "database_unavailable"),
        (InterfaceError(), "database_unavailable"),
    ],
    ids=lambda value: type(value.__cause__ or value).__name__ if isinstance(value, Error) else value,
)
def test_what_the_database_cannot_do_now_may_work_later(error, code):
    assert unavailable(error).code == code


@pytest.mark.parametrize(
    "error",
    [
        caused(InternalError(), errors.InFailedSqlTransaction()),
        caused(ProgrammingError(), errors.UndefinedTable()),
        caused(IntegrityError(), errors.UniqueViolation()),
    ],
    ids=lambda error: type(error.__cause__).__name__,
)
def test_what_is_wrong_with_a_statement_of_ours_is_no_outage(error):
    assert unavailable(error) is None
