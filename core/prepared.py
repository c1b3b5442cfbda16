"""Runs the few statements that run most often. They are prepared once for each connection and take one round trip.

Django's cursor binds parameters on the client, so PostgreSQL plans every statement again; for our largest statement,
planning takes six times as long as execution. Django also sends `SELECT 1` before the first statement of a request to
check the connection. Here the statement itself is the check: if the connection is broken, it runs again on a new one.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast, overload
from uuid import UUID

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.models import QuerySet

from core.database_metrics import observer_of

Row = tuple[Any, ...]


def fetch_one(sql: str, parameters: Mapping[str, object]) -> Row | None:
    """The first row of a statement with `%(name)s` parameters, or None.

    The statement must be safe to run twice. Raises Django's database errors.
    """
    rows = fetch_all(sql, parameters)
    return rows[0] if rows else None


def fetch_all(sql: str, parameters: Mapping[str, object]) -> list[Row]:
    """All rows of a statement, under the same conditions as `fetch_one`."""
    db: Any = connections[DEFAULT_DB_ALIAS]
    if db.in_atomic_block:
        return _run(db, sql, parameters)
    # The connection was kept from an earlier request, and may be dead.
    kept = db.connection if is_postgresql() else None
    if kept is not None:
        kept.is_on_trial = True
    try:
        return _run(db, sql, parameters)
    except (OperationalError, InterfaceError):
        if not _is_broken():
            raise
        db.close()
    finally:
        if kept is not None:
            kept.is_on_trial = False
    return _run(db, sql, parameters)


def fetch_values(rows: QuerySet[Any], columns: Sequence[str]) -> list[Row]:
    """The values of the columns, for columns that contain text, numbers, booleans, UUIDs and times.

    PostgreSQL sends them in binary form. Django would parse times from text in Python, which takes most of the time of
    a long list.
    """
    wanted = rows.values_list(*columns)
    if not is_postgresql():
        return list(wanted)
    try:
        sql, parameters = wanted.query.sql_with_params()
    except EmptyResultSet:
        return []
    return fetch_planned(sql, parameters)


def fetch_planned(sql: str, parameters: Mapping[str, object] | Sequence[object]) -> list[Row]:
    """All rows of a statement that is planned for these values each time, for statements that read many rows.

    PostgreSQL sends them in binary form, as to `fetch_values`.
    """
    if not is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(sql, cast(Any, parameters))
            return list(cursor.fetchall())
    with connection.cursor() as cursor:
        statement = cursor.mogrify(sql, parameters)
    if connection.queries_logged:
        connection.queries_log.append({"sql": statement, "time": "0"})
    started = time.perf_counter()
    try:
        with connection.wrap_database_errors:
            return psycopg.Cursor(connection.connection).execute(cast(Any, statement), binary=True).fetchall()
    finally:
        observer_of("SELECT")(time.perf_counter() - started)


def fetch_all_once(sql: str, parameters: Mapping[str, object]) -> list[Row]:
    """All rows of a statement, none if it returns no rows. It does not run again if the connection is broken."""
    return _run(connections[DEFAULT_DB_ALIAS], sql, parameters)


# `db` is the thread's connection, which `connection` would look up at every use.
def _run(db: Any, sql: str, parameters: Mapping[str, object]) -> list[Row]:
    if not is_postgresql():
        # sqlite3 caches prepared statements itself.
        with db.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[Row] = cursor.fetchall()
        return rows
    if db.connection is None:
        db.ensure_connection()
    if db.queries_logged:
        db.queries_log.append({"sql": sql, "time": "0"})
    started = time.perf_counter()
    try:
        fetched: list[Row] = db.connection.run(sql, parameters)
    except psycopg.Error:
        with db.wrap_database_errors:
            raise
    finally:
        observer_of(sql)(time.perf_counter() - started)
    # The connection has just worked, so Django need not send `SELECT 1` to check it.
    db.health_check_done = True
    return fetched


def _is_broken() -> bool:
    raw = connection.connection
    return raw is None or bool(getattr(raw, "closed", False))


@cache
def database_vendor() -> str:
    """Django's word for the kind of the database. Each request asks this many times, and `connection` is slow."""
    return connection.vendor


def is_postgresql() -> bool:
    """Whether the database is PostgreSQL."""
    return database_vendor() == "postgresql"


def uuid_parameter(value: UUID) -> object:
    """A UUID in the form in which the database stores it."""
    return value if is_postgresql() else value.hex


def time_parameter(value: datetime) -> object:
    """A time in the form in which the database stores it."""
    return value if is_postgresql() else connection.ops.adapt_datetimefield_value(value)


def as_uuid(value: Any) -> UUID:
    """A UUID of a row."""
    return value if isinstance(value, UUID) else UUID(value)


@overload
def as_time(value: datetime | str) -> datetime: ...
@overload
def as_time(value: datetime | str | None) -> datetime | None: ...
def as_time(value: datetime | str | None) -> datetime | None:
    """A time of a row. SQLite returns times without a zone; they are in UTC. What it computes from times is text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value
