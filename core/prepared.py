"""Runs the few statements that agents cause all day: prepared once per connection, one round trip each.

Django's cursor binds parameters on the client, so PostgreSQL plans every statement anew; for the target state planning
costs six times the execution. Django also sends `SELECT 1` before the first statement of a request to check the
connection. Here the statement itself is the check: when the connection is broken, it runs again on a fresh one.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from psycopg.types.datetime import TimestamptzLoader

Row = tuple[Any, ...]


class _Kept(threading.local):
    """The cursors of this thread's connection, by statement."""

    raw: psycopg.Connection | None = None
    cursors: dict[str, psycopg.Cursor]


_KEPT = _Kept()


def fetch_one(sql: str, parameters: Mapping[str, object]) -> Row | None:
    """The first row of a statement with `%(name)s` parameters, or None.

    The statement must be safe to run twice. Raises Django's database errors.
    """
    try:
        return _run(sql, parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _is_broken():
            raise
        connection.close()
        return _run(sql, parameters)


def _run(sql: str, parameters: Mapping[str, object]) -> Row | None:
    # Looked up once, because `connection` looks it up again for each of its attributes.
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "postgresql":
        # sqlite3 keeps prepared statements by itself.
        with wrapper.cursor() as cursor:
            cursor.execute(sql, cast(Any, parameters))
            row: Row | None = cursor.fetchone()
        return row
    wrapper.ensure_connection()
    if wrapper.queries_logged:
        wrapper.queries_log.append({"sql": sql, "time": "0"})
    with wrapper.wrap_database_errors:
        server_side = _cursor(wrapper.connection, sql)
        server_side.execute(cast(Any, sql), parameters, prepare=True)
        return server_side.fetchone()


def _cursor(raw: psycopg.Connection, sql: str) -> psycopg.Cursor:
    """The connection's one cursor for the statement. A psycopg cursor that runs the same string again reuses what it
    knows about parameters and rows, which saves much CPU time.
    """
    if _KEPT.raw is not raw:
        _KEPT.raw, _KEPT.cursors = raw, {}
    if sql not in _KEPT.cursors:
        cursor = _KEPT.cursors[sql] = psycopg.Cursor(raw)
        # Django's loader is written in Python; psycopg's is compiled, and the session's times are in UTC.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
    return _KEPT.cursors[sql]


def _is_broken() -> bool:
    raw = connection.connection
    return raw is None or bool(getattr(raw, "closed", False))


def uuid_parameter(value: UUID) -> object:
    """A UUID as the database keeps it."""
    return value if connection.features.has_native_uuid_field else value.hex


def as_uuid(value: Any) -> UUID:
    """A UUID of a row."""
    return value if isinstance(value, UUID) else UUID(value)


def as_time(value: datetime | None) -> datetime | None:
    """A time of a row. SQLite returns times without a zone; they are in UTC."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value
