"""Interrupting what runs between two statements: by a death, or by something else that happens meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

import psycopg
from django.db import connection, transaction

from core.postgresql.base import BoundedConnection

_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


class Killed(BaseException):
    """The process is dead. No `except` of the product may catch it."""


@contextmanager
def killed_after(statements: int) -> Iterator[None]:
    """Let the block die after so many statements, if it makes as many. What it had not committed is undone.

    The tests' own transaction around it counts as the database.
    """
    left = statements

    def die(execute: Callable[[], Any], sql: str) -> Any:
        nonlocal left
        result = execute()
        if _is_bookkeeping(sql):
            return result
        left -= 1
        if left == 0:
            raise Killed
        return result

    try:
        with _around_each_statement(die):
            yield
    except Killed:
        # The transactions that were open are rolled back by now. What promised to follow a commit died as well.
        transaction.set_rollback(False)
        connection.run_on_commit = []


@contextmanager
def meanwhile(statements: int, act: Callable[[], object]) -> Iterator[None]:
    """Call `act` once in the block, when no transaction is open and so many statements or more have been made.

    This is what another process may do between two transactions of this one. Within one, locks keep it waiting.
    """
    outside = len(connection.savepoint_ids)
    left = statements

    def interrupt(execute: Callable[[], Any], sql: str) -> Any:
        nonlocal left
        result = execute()
        left -= 0 if _is_bookkeeping(sql) else 1
        if left == 0 and len(connection.savepoint_ids) > outside:
            left = 1
        elif left == 0:
            left = -1
            act()
        return result

    with _around_each_statement(interrupt):
        yield


@contextmanager
def _around_each_statement(around: Callable[[Callable[[], Any], str], Any]) -> Iterator[None]:
    """Let `around` execute each statement of the block, those too that pass Django's cursors by.

    It is called with a function that executes the statement, and with its text.
    """
    if connection.vendor != "postgresql":

        def wrap(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            return around(partial(execute, sql, *rest), sql)

        with connection.execute_wrapper(wrap):
            yield
        return
    with _wrapped(psycopg.Cursor, "execute", around), _wrapped(BoundedConnection, "run", around):
        yield


@contextmanager
def _wrapped(owner: Any, name: str, around: Callable[[Callable[[], Any], str], Any]) -> Iterator[None]:
    """Let `around` do what a method does that takes a statement."""
    method = getattr(owner, name)

    def wrapper(self: Any, sql: Any, *rest: Any, **options: Any) -> Any:
        return around(partial(method, self, sql, *rest, **options), str(sql))

    with mock.patch.object(owner, name, wrapper):
        yield


def run_commit_hooks() -> None:
    """Do what was to follow the commits of the transactions within the tests' own."""
    hooks, connection.run_on_commit = connection.run_on_commit, []
    for entry in hooks:
        entry[1]()


def _is_bookkeeping(sql: str) -> bool:
    return str(sql).startswith(_BOOKKEEPING)
