"""What the database's errors come to: a refusal to try again later, or a mistake of ours."""

import sqlite3
from threading import Event

import pytest
from django.db import (
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from psycopg import errors

from core.database_errors import unavailable
from stacks.models import Stack
from tests.factories import make_stack
from tests.support.threads import together


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


# How long the holder of a lock waits for the end of the test, in seconds.
PATIENCE_SECONDS = 60


def code_of_a_statement_that_takes_too_long(statement: str) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
        cursor.execute("SET LOCAL statement_timeout = '1s'")
        with pytest.raises(OperationalError) as raised:
            cursor.execute(statement)
        transaction.set_rollback(True)
    refusal = unavailable(raised.value)
    assert refusal is not None
    return refusal.code


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 FROM stacks FOR NO KEY UPDATE", "UPDATE stacks SET name = 'b'", "DELETE FROM stacks"],
)
def test_a_statement_that_ends_while_it_waits_for_a_row_says_busy(statement):
    make_stack()
    is_locked, is_over = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            list(Stack.objects.select_for_update())
            is_locked.set()
            is_over.wait(PATIENCE_SECONDS)

    def wait() -> str:
        try:
            is_locked.wait(PATIENCE_SECONDS)
            return code_of_a_statement_that_takes_too_long(statement)
        finally:
            is_over.set()

    assert together(hold, wait)[1] == "busy"


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_a_statement_that_only_takes_too_long_says_that_the_database_is_unavailable():
    assert code_of_a_statement_that_takes_too_long("SELECT pg_sleep(60)") == "database_unavailable"
