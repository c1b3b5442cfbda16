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


class LockTables(RunPython):
    """The first operation of a migration that changes several tables which are in use.

    `altered` get or lose columns, or lose indexes; `extended` get triggers, foreign keys to them or indexes, and may be
    read meanwhile. It takes all locks or none, and tries again for a minute. Does nothing on SQLite.
    """

    def __init__(self, *, altered: tuple[str, ...] = (), extended: tuple[str, ...] = ()) -> None:
        super().__init__(self._lock, RunPython.noop)
        self.tables = {*altered, *extended}
        self._statements = [
            f"LOCK TABLE {', '.join(tables)} IN {mode} MODE NOWAIT"
            for mode, tables in (("ACCESS EXCLUSIVE", altered), ("SHARE ROW EXCLUSIVE", extended))
            if tables
        ]

    def _lock(self, _apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._try(schema_editor, is_last=time.monotonic() > deadline):
            time.sleep(_PAUSE_SECONDS)

    def _try(self, schema_editor: BaseDatabaseSchemaEditor, *, is_last: bool) -> bool:
        try:
            # A savepoint: going back to it gives up the locks that were taken.
            with transaction.atomic(using=schema_editor.connection.alias):
                for statement in self._statements:
                    schema_editor.execute(statement)
        except OperationalError as error:
            if is_last or not isinstance(unavailable(error), Busy):
                raise
            return False
        return True
