"""Removing what a test has committed.

Django's own way empties each table, and sends `post_migrate`, which makes all permissions and groups again. Both take
longer than most tests.
"""

from typing import Any

from django.core.management.color import no_style
from django.db import connection

_Rows = list[tuple[Any, ...]]


class FreshDatabase:
    """What is in a database that was migrated and not used yet."""

    def __init__(self) -> None:
        self.remember()

    def remember(self) -> None:
        """Look at the database, which nobody has used yet."""
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        self._rows = {table: _rows_of(table) for table in _with_rows(tables)}
        self._empty = [table for table in tables if table not in self._rows]

    def restore(self) -> bool:
        """Remove the rows that came since.

        Returns whether the database is as it was. It is not if rows changed that it had at first.
        """
        # With whatever refers to them, which is empty or among them.
        statements = connection.ops.sql_flush(no_style(), _with_rows(self._empty), allow_cascade=True)
        connection.ops.execute_sql_flush(statements)
        return all(_rows_of(table) == rows for table, rows in self._rows.items())


def _with_rows(tables: list[str]) -> list[str]:
    named = ((table, connection.ops.quote_name(table)) for table in tables)
    questions = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted})" for table, quoted in named]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(questions))
        return [table for (table,) in cursor.fetchall()]


def _rows_of(table: str) -> _Rows:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
        return sorted(cursor.fetchall(), key=repr)
