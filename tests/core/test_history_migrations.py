"""Times that triggers write on SQLite, which compares them as texts with those of Django."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper

from core.history_migrations import SQLITE_NOW, lengthen_times

MILLISECONDS = [0, 7, 70, 700]


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as database:
        yield database


def moment(milliseconds: int) -> datetime:
    return datetime(2026, 3, 1, 12, 30, 45, milliseconds * 1_000)  # noqa: DTZ001  as SQLite stores it


def of_django(at: datetime) -> str:
    return str(DatabaseWrapper.ops_class(connection=None).adapt_datetimefield_value(at))


@pytest.mark.parametrize("milliseconds", MILLISECONDS)
def test_triggers_write_a_time_as_django_does(database, milliseconds):
    at = moment(milliseconds)
    literal = f"'{at.isoformat(sep=' ', timespec='milliseconds')}'"
    ((written,),) = database.execute("SELECT " + SQLITE_NOW.replace("'now'", literal))
    assert written == of_django(at)


@pytest.mark.parametrize("milliseconds", MILLISECONDS)
def test_times_of_three_digits_become_those_of_django_and_others_stay(database, milliseconds):
    at = moment(milliseconds)
    short, long = at.isoformat(sep=" ", timespec="milliseconds"), of_django(at)
    exact = of_django(at.replace(microsecond=123_456))
    database.execute("CREATE TABLE label_history (added_at text, removed_at text)")
    rows = [(short, None), (short, short), (long, exact), (long, None)]
    database.executemany("INSERT INTO label_history VALUES (?, ?)", rows)
    editor: Any = SimpleNamespace(
        connection=SimpleNamespace(vendor="sqlite"),
        execute=lambda sql, params: database.execute(sql, params or ()),
    )
    lengthen_times("label_history").code(None, editor)
    lengthened = [(long, None), (long, long), (long, exact), (long, None)]
    assert database.execute("SELECT * FROM label_history").fetchall() == lengthened
