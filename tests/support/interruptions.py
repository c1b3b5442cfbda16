"""Interrupting what runs between two statements: by a death, or by something else that happens meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


class Killed(BaseException):
    """The process is dead. No `except` of the product may catch it."""


@contextmanager
def killed_after(statements: int) -> Iterator[None]:
    """Let the block die after so many statements, if it makes as many. What it had not committed is undone.

    The tests' own transaction around it counts as the database.
    """
    left = statements

    def die(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal left
        if _is_bookkeeping(sql):
            return execute(sql, params, many, context)
        result = execute(sql, params, many, context)
        left -= 1
        if left == 0:
            raise Killed
        return result

    try:
        with connection.execute_wrapper(die):
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

    def interrupt(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal left
        result = execute(sql, params, many, context)
        left -= 0 if _is_bookkeeping(sql) else 1
        if left == 0 and len(connection.savepoint_ids) > outside:
            left = 1
        elif left == 0:
            left = -1
            act()
        return result

    with connection.execute_wrapper(interrupt):
        yield


def run_commit_hooks() -> None:
    """Do what was to follow the commits of the transactions within the tests' own."""
    hooks, connection.run_on_commit = connection.run_on_commit, []
    for entry in hooks:
        entry[1]()


def _is_bookkeeping(sql: str) -> bool:
    return str(sql).startswith(_BOOKKEEPING)
