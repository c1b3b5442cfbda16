"""For migrations that change several tables: all their locks at once, so that no web process is caught in a deadlock.

A migration that has one table and waits for the next stops whoever has that one and waits for the first. PostgreSQL
then ends one of the two, and it may be the request of a client.
"""

import time
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from core.database_errors import unavailable
from core.errors import Busy

# Between two attempts, requests go on.
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0
_ALTERED, _EXTENDED = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE"


def lock_tables(*, altered: tuple[str, ...] = (), extended: tuple[str, ...] = ()) -> RunPython:
    """The first operation of a migration that changes several tables which are in use.

    `altered` get or lose columns, or lose indexes; `extended` get triggers, foreign keys to them or indexes, and may be
    read meanwhile. It takes all locks or none, and tries again for a minute. Does nothing on SQLite.
    """

    def lock(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try(
            schema_editor, {_ALTERED: altered, _EXTENDED: extended}, is_last=time.monotonic() > deadline
        ):
            time.sleep(_PAUSE_SECONDS)

    return RunPython(lock, RunPython.noop)


def _try(
    schema_editor: BaseDatabaseSchemaEditor, wanted: dict[str, tuple[str, ...]], *, is_last: bool
) -> bool:
    try:
        # A savepoint: going back to it gives up the locks that were taken.
        with transaction.atomic(using=schema_editor.connection.alias):
            for mode, tables in wanted.items():
                if tables:
                    schema_editor.execute(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE NOWAIT")
    except OperationalError as error:
        if is_last or not isinstance(unavailable(error), Busy):
            raise
        return False
    return True
