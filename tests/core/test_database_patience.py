"""What becomes of a statement that is not over when the request's time is: cancelled, unless it may be a commit."""

import time
from collections.abc import Callable
from threading import Event

import pytest
from django.db import OperationalError, connection, transaction

from core import deadlines
from core.database_errors import unavailable
from core.postgresql import base
from stacks.models import Stack
from tests.factories import make_stack
from tests.support.threads import PATIENCE_SECONDS, together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch):
    """A busy machine may take its time for the last word: half of what a statement of a command has."""
    monkeypatch.setattr(base, "_LAST_WORD_SECONDS", 30.0)


def code_when_time_is_over(act: Callable[[], object]) -> str:
    connection.ensure_connection()
    deadlines.begin(time.monotonic())
    try:
        with pytest.raises(OperationalError) as raised:
            act()
    finally:
        deadlines.end()
    refusal = unavailable(raised.value)
    assert refusal is not None
    return refusal.code


def lock_all_stacks() -> None:
    with transaction.atomic():
        list(Stack.objects.select_for_update())


def test_a_request_whose_time_ends_at_a_locked_row_is_told_busy():
    make_stack()
    is_locked, is_over = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            lock_all_stacks()
            is_locked.set()
            is_over.wait(PATIENCE_SECONDS)

    def wait() -> tuple[str, bool]:
        try:
            is_locked.wait(PATIENCE_SECONDS)
            return code_when_time_is_over(lock_all_stacks), connection.is_usable()
        finally:
            is_over.set()

    assert together(hold, wait)[1] == ("busy", True)


def sleep_in_a_transaction() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


def test_a_statement_that_is_only_slow_is_cancelled_and_the_connection_stays():
    assert code_when_time_is_over(sleep_in_a_transaction) == "database_unavailable"
    assert connection.is_usable()


_SLOW_COMMIT = """
CREATE TABLE slow (id int);
CREATE FUNCTION wait_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_long();
"""


def test_a_commit_is_never_cancelled():
    with connection.cursor() as cursor:
        cursor.execute(_SLOW_COMMIT)
    try:

        def commit_slowly() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("INSERT INTO slow VALUES (1)")

        assert code_when_time_is_over(commit_slowly) == "database_unavailable"
        connection.close()
        with transaction.atomic(), connection.cursor() as cursor:
            # It waits for the commit.
            cursor.execute("LOCK TABLE slow")
            cursor.execute("SELECT count(*) FROM slow")
            assert cursor.fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE slow")
            cursor.execute("DROP FUNCTION wait_long")
