"""Rows that all tests of a module share, made once.

Each test still has its own transaction that is rolled back: a savepoint inside the transaction with the shared rows.
Do not use it in modules whose tests commit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction
from pytest_django import DjangoDbBlocker

Made = TypeVar("Made")


@contextmanager
def shared_rows(blocker: DjangoDbBlocker, make: Callable[[], Made]) -> Iterator[Made]:
    """The result of `make`. The rows that it wrote exist until the block ends."""
    around = transaction.atomic()
    with blocker.unblock():
        around.__enter__()
        made = make()
    try:
        yield made
    finally:
        with blocker.unblock():
            transaction.set_rollback(True)
            around.__exit__(None, None, None)
