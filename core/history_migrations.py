"""For migrations: triggers that keep the history of a table, and the history of the rows that are there already.

Only inserting and deleting is followed: the rows of these tables are never changed. PostgreSQL takes the time after the
statement has got its locks, and calls the trigger once for a statement, however many rows it writes. SQLite's clock
has milliseconds.

A later migration that makes SQLite rebuild the table must create its triggers again; a test looks for them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from core import clock

SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"

_BATCH = 5_000
_POSTGRESQL = """
CREATE FUNCTION {history}_begin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moment timestamptz := clock_timestamp();
BEGIN
    INSERT INTO {history} (id, {columns}, added_at) SELECT id, {columns}, moment FROM written;
    RETURN NULL;
END
$$;
CREATE FUNCTION {history}_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moment timestamptz := clock_timestamp();
BEGIN
    UPDATE {history} h SET removed_at = GREATEST(h.added_at, moment) FROM written w WHERE h.id = w.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER {history}_begin AFTER INSERT ON {table} REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION {history}_begin();
CREATE TRIGGER {history}_end AFTER DELETE ON {table} REFERENCING OLD TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION {history}_end();
"""
_POSTGRESQL_DROP = """
DROP TRIGGER {history}_begin ON {table};
DROP TRIGGER {history}_end ON {table};
DROP FUNCTION {history}_begin();
DROP FUNCTION {history}_end();
"""
_SQLITE = (
    """
CREATE TRIGGER {history}_begin AFTER INSERT ON {table} BEGIN
    INSERT INTO {history} (id, {columns}, added_at) VALUES (NEW.id, {new_columns}, {now});
END
""",
    """
CREATE TRIGGER {history}_end AFTER DELETE ON {table} BEGIN
    UPDATE {history} SET removed_at = max(added_at, {now}) WHERE id = OLD.id;
END
""",
)


@dataclass(frozen=True, slots=True)
class Followed:
    """A table with a UUID `id`, its history table, and the columns that both have."""

    table: str
    history: str
    columns: tuple[str, ...]

    def create(self, editor: BaseDatabaseSchemaEditor) -> None:
        """Create the triggers."""
        names = {
            "table": self.table,
            "history": self.history,
            "columns": ", ".join(self.columns),
            "new_columns": ", ".join(f"NEW.{column}" for column in self.columns),
            "now": SQLITE_NOW,
        }
        execute(
            editor, postgresql=[_POSTGRESQL.format(**names)], sqlite=[sql.format(**names) for sql in _SQLITE]
        )

    def drop(self, editor: BaseDatabaseSchemaEditor) -> None:
        """Drop the triggers."""
        execute(
            editor,
            postgresql=[_POSTGRESQL_DROP.format(table=self.table, history=self.history)],
            sqlite=[f"DROP TRIGGER {self.history}_{which}" for which in ("begin", "end")],
        )


def execute(editor: BaseDatabaseSchemaEditor, *, postgresql: Iterable[str], sqlite: Iterable[str]) -> None:
    """Run the statements for the database that this is."""
    for sql in postgresql if editor.connection.vendor == "postgresql" else sqlite:
        editor.execute(sql, params=None)


def follow(*tables: Followed) -> RunPython:
    """The operation of a migration that creates the triggers of these tables."""
    return RunPython(_for_each(tables, Followed.create), _for_each(tables, Followed.drop))


def _for_each(
    tables: Iterable[Followed], do: Callable[[Followed, BaseDatabaseSchemaEditor], None]
) -> Callable[[object, BaseDatabaseSchemaEditor], None]:
    kept = tuple(tables)

    def run(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
        for table in kept:
            do(table, editor)

    return run


def time_of(row_id: UUID) -> datetime:
    """When the UUIDv7 was made. For another UUID, now: the row is older, but nothing tells how old."""
    milliseconds = row_id.int >> 80
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC) if row_id.version == 7 else clock.now()


def fill(rows: Any, history: Any, *columns: str, time: str | None = None) -> None:
    """Write the history rows of the rows that are there, which are those of the queryset `rows`.

    `time` names the column that says since when; without one, the row's id tells. The triggers exist already, so no
    row is missed, and the table is locked against writers until the migration ends.
    """
    batch = []
    for row in rows.values("pk", *columns, *([time] if time else [])).iterator(chunk_size=_BATCH):
        added_at = row[time] if time else time_of(row["pk"])
        batch.append(history(id=row["pk"], added_at=added_at, **{name: row[name] for name in columns}))
        if len(batch) == _BATCH:
            history.objects.bulk_create(batch)
            batch = []
    history.objects.bulk_create(batch)
