"""For migrations: triggers that keep the history of a table, and the history of the rows that are there already.

Only inserting and deleting is followed: the rows of these tables are never changed. PostgreSQL takes the time after the
statement has got its locks, and calls the trigger once for a statement, however many rows it writes. SQLite's clock
has milliseconds, and is the same for all rows of a statement.

`number` lets the history say in which transaction a row began and ended. `number_rows` does so for a table whose rows
only begin. Rows of two tables with the same number and nearly the same time were written together; PostgreSQL begins
to count anew when a dump is restored into another server.

A later migration that makes SQLite rebuild the table must create its triggers again; a test looks for them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from core import clock

# SQLite compares times as texts, so triggers write them as Django does: with six digits after the second, or with none
# if all are 0.
SQLITE_NOW = "replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '')"
# The number of the transaction: PostgreSQL's own, and that of `core/sqlite`.
POSTGRESQL_NUMBER = "pg_current_xact_id()::text::bigint"
SQLITE_NUMBER = "transaction_number()"

_BATCH = 5_000
_POSTGRESQL_FUNCTIONS = """
CREATE OR REPLACE FUNCTION {history}_begin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moment timestamptz := clock_timestamp();
BEGIN
    INSERT INTO {history} (id, {columns}, added_at{added_in}) SELECT id, {columns}, moment{number} FROM written;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION {history}_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moment timestamptz := clock_timestamp();
BEGIN
    UPDATE {history} h SET removed_at = GREATEST(h.added_at, moment){removed_in} FROM written w WHERE h.id = w.id;
    RETURN NULL;
END
$$;
"""
_POSTGRESQL_TRIGGERS = """
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
    INSERT INTO {history} (id, {columns}, added_at{added_in}) VALUES (NEW.id, {new_columns}, {now}{number});
END
""",
    """
CREATE TRIGGER {history}_end AFTER DELETE ON {table} BEGIN
    UPDATE {history} SET removed_at = max(added_at, {now}){removed_in} WHERE id = OLD.id;
END
""",
)
_SQLITE_DROP = ("DROP TRIGGER {history}_begin", "DROP TRIGGER {history}_end")
_POSTGRESQL_NUMBERED = """
CREATE FUNCTION {table}_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction_number := {number};
    RETURN NEW;
END
$$;
CREATE TRIGGER {table}_number BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_number();
"""
_SQLITE_NUMBERED = """
CREATE TRIGGER {table}_number AFTER INSERT ON {table} BEGIN
    UPDATE {table} SET transaction_number = {number} WHERE rowid = NEW.rowid;
END
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """A table with a UUID `id`, its history table, and the columns that both have."""

    table: str
    history: str
    columns: tuple[str, ...]

    def create(self, editor: BaseDatabaseSchemaEditor) -> None:
        """Create the triggers."""
        self._write(editor, postgresql=[_POSTGRESQL_FUNCTIONS, _POSTGRESQL_TRIGGERS], sqlite=_SQLITE)

    def drop(self, editor: BaseDatabaseSchemaEditor) -> None:
        """Drop the triggers."""
        self._write(editor, postgresql=[_POSTGRESQL_DROP], sqlite=_SQLITE_DROP)

    def number(self, editor: BaseDatabaseSchemaEditor) -> None:
        """Let the triggers write the numbers of transactions, too."""
        self._write(
            editor, postgresql=[_POSTGRESQL_FUNCTIONS], sqlite=(*_SQLITE_DROP, *_SQLITE), is_numbered=True
        )

    def leave_out_number(self, editor: BaseDatabaseSchemaEditor) -> None:
        """Let them write no numbers any more."""
        self._write(editor, postgresql=[_POSTGRESQL_FUNCTIONS], sqlite=(*_SQLITE_DROP, *_SQLITE))

    def _write(
        self,
        editor: BaseDatabaseSchemaEditor,
        *,
        postgresql: Sequence[str],
        sqlite: Sequence[str],
        is_numbered: bool = False,
    ) -> None:
        number = POSTGRESQL_NUMBER if editor.connection.vendor == "postgresql" else SQLITE_NUMBER
        names = {
            "table": self.table,
            "history": self.history,
            "columns": ", ".join(self.columns),
            "new_columns": ", ".join(f"NEW.{column}" for column in self.columns),
            "now": SQLITE_NOW,
            "added_in": ", added_in" if is_numbered else "",
            "number": f", {number}" if is_numbered else "",
            "removed_in": f", removed_in = {number}" if is_numbered else "",
        }
        execute(
            editor,
            postgresql=[sql.format(**names) for sql in postgresql],
            sqlite=[sql.format(**names) for sql in sqlite],
        )


def execute(editor: BaseDatabaseSchemaEditor, *, postgresql: Iterable[str], sqlite: Iterable[str]) -> None:
    """Run the statements for the database that this is."""
    for sql in postgresql if editor.connection.vendor == "postgresql" else sqlite:
        editor.execute(sql, params=None)


def follow(*tables: Followed) -> RunPython:
    """The operation of a migration that creates the triggers of these tables."""
    return RunPython(_for_each(tables, Followed.create), _for_each(tables, Followed.drop))


def number(*tables: Followed) -> RunPython:
    """The operation that lets the triggers write `added_in` and `removed_in`. The history tables have these columns."""
    return RunPython(_for_each(tables, Followed.number), _for_each(tables, Followed.leave_out_number))


def renew_sqlite(*tables: Followed) -> RunPython:
    """The operation that creates the triggers of numbered tables anew on SQLite. Nothing on PostgreSQL."""

    def renew(table: Followed, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "sqlite":
            table.number(editor)

    return RunPython(_for_each(tables, renew), RunPython.noop)


def number_rows(table: str) -> RunPython:
    """The operation that lets a trigger write `transaction_number` into each new row of the table."""

    def create(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
        execute(
            editor,
            postgresql=[_POSTGRESQL_NUMBERED.format(table=table, number=POSTGRESQL_NUMBER)],
            sqlite=[_SQLITE_NUMBERED.format(table=table, number=SQLITE_NUMBER)],
        )

    def drop(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
        trigger = f"DROP TRIGGER {table}_number"
        execute(
            editor, postgresql=[f"{trigger} ON {table}; DROP FUNCTION {table}_number();"], sqlite=[trigger]
        )

    return RunPython(create, drop)


def lengthen_times(*histories: str) -> RunPython:
    """The operation that writes the times of history tables in the form of `SQLITE_NOW`. Nothing on PostgreSQL."""

    def lengthened(column: str) -> str:
        longer = f"replace({column} || '000', '.000000', '')"
        return f"{column} = CASE WHEN {column} LIKE '%.___' THEN {longer} ELSE {column} END"

    def run(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
        columns = ", ".join(map(lengthened, ("added_at", "removed_at")))
        updates = [f"UPDATE {history} SET {columns}" for history in histories]  # noqa: S608  names of our own
        execute(editor, postgresql=[], sqlite=updates)

    return RunPython(run, RunPython.noop)


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
