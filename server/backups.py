"""Copies of the whole database in one file: made while the broker runs, read back at once, and restored.

SQLite's file comes by its online backup. PostgreSQL's comes by pg_dump and goes back by pg_restore and psql, which must
be on the path.
"""

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Timer
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

# Agents may have seen that many versions more than the backup knows. New ones get greater numbers.
_NUMBERS_SKIPPED = 1_000_000
_MIGRATIONS = "django_migrations"
# Whatever is there, because a later release may have made more than the file knows, and what is restored would not fit
# beside it. What extensions have made stays.
_EMPTIED = """
SET LOCAL client_min_messages = warning;
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        WITH of_extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
        SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND (tableoid, oid) NOT IN (TABLE of_extensions)
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND (tableoid, oid) NOT IN (TABLE of_extensions)
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
"""
_COPIED = re.compile(
    r"^COPY public\.django_migrations \(id, app, name, applied\) FROM stdin;\n(.*?)^\\\.$",
    re.DOTALL | re.MULTILINE,
)
Migration = tuple[str, str]


class BackupFailed(CommandError):
    """The file could not be written, read or restored. The command ends with exit code 1 and this sentence."""


def make_backup(file: Path) -> int:
    """Write the database to a new file, whole or not at all, and read it back. Returns the file's size in bytes.

    Raises BackupFailed.
    """
    if file.exists():
        raise BackupFailed(f"{file} is there already.")
    draft = file.with_name(f"{file.name}.part")
    draft.unlink(missing_ok=True)
    try:
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(_sqlite_file())) as source, closing(sqlite3.connect(draft)) as copy:
                source.backup(copy)
        else:
            _run(
                "pg_dump",
                "--format=custom",
                f"--lock-wait-timeout={settings.DATABASE_TIMEOUTS['lock_timeout']}s",
                f"--file={draft}",
            )
        if set(_migrations_in(draft)) != set(_applied()):
            raise BackupFailed("The file does not hold what the database holds.")
        draft.rename(file)
    except (sqlite3.Error, OSError) as error:
        raise BackupFailed(f"The file could not be written: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def restore_backup(file: Path, *, replace: bool) -> None:
    """Put the content of the file in the place of the database's, and migrate it.

    Versions that are published from now on get numbers that no agent has seen. Raises BackupFailed, before anything was
    changed, for a file that cannot be read, of a newer release or of the other kind of database, and for a database
    that is not empty unless it is to be replaced.
    """
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    ours = {app for app, _ in known}
    if newer := sorted(each for each in _migrations_in(file) if each[0] in ours and each not in known):
        raise BackupFailed(f"The file is from a newer release: this one does not know {'.'.join(newer[0])}.")
    if connection.introspection.table_names() and not replace:
        raise BackupFailed("The database is not empty; --replace gives up what it holds.")
    connection.close()
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(_sqlite_file())) as target:
            source.backup(target)
    else:
        _restore_postgresql(file)
    call_command("migrate", verbosity=0)
    _skip_numbers()


def _migrations_in(file: Path) -> list[Migration]:
    """What had been applied to the database in the file, which is read as a whole."""
    try:
        begins = file.open("rb").read(5)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be read: {error}.") from error
    kind = {b"PGDMP": "postgresql", b"SQLit": "sqlite"}.get(begins)
    if kind != connection.vendor:
        raise BackupFailed(f"{file} is no backup of a database of this kind ({connection.display_name}).")
    if kind == "postgresql":
        # The whole file as SQL, so that every block of it is decompressed once.
        _run("pg_restore", f"--file={os.devnull}", str(file))
        text = _run("pg_restore", "--data-only", f"--table={_MIGRATIONS}", "--file=-", str(file))
        found = _COPIED.search(text)
        rows = [line.split("\t") for line in found[1].splitlines()] if found else []
        return [(app, name) for _, app, name, _ in rows]
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise BackupFailed(f"{file} is damaged.")
            return [(app, name) for app, name in copy.execute(f"SELECT app, name FROM {_MIGRATIONS}")]  # noqa: S608
    except sqlite3.Error as error:
        raise BackupFailed(f"{file} cannot be read: {error}.") from error


def _applied() -> list[Migration]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {_MIGRATIONS}")  # noqa: S608
        rows: list[Migration] = cursor.fetchall()
    return rows


def _skip_numbers() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # There is no row before the first version, and agents may have seen some since.
            cursor.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'deployment_objects', 0 "
                "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'deployment_objects')"
            )
            cursor.execute(
                "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'deployment_objects'",
                [_NUMBERS_SKIPPED],
            )
        else:
            sequence = "pg_get_serial_sequence('deployment_objects', 'sequence_id')"
            cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s)", [_NUMBERS_SKIPPED])


def _sqlite_file() -> str:
    return str(connection.settings_dict["NAME"])


def _restore_postgresql(file: Path) -> None:
    """Empty the database and restore the file, in one transaction, committed once the file has been read whole.

    pg_restore alone drops only what the file knows.
    """
    with (
        tempfile.TemporaryFile() as complaints,
        _started(
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--file=-",
            str(file),
            stdout=PIPE,
            stderr=complaints,
        ) as script,
        _started(
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=complaints,
        ) as target,
    ):
        assert script.stdout is not None and target.stdin is not None  # noqa: S101, PT018  they are pipes

        def stop() -> None:
            target.kill()
            script.kill()

        late = Timer(_longest(), stop)
        late.start()
        try:
            target.stdin.write(f"BEGIN;\n{_EMPTIED}".encode())
            shutil.copyfileobj(script.stdout, target.stdin)
            if script.wait() == 0:
                target.stdin.write(b"COMMIT;\n")
            target.stdin.close()
            is_done = target.wait() == 0 and script.returncode == 0
        except BrokenPipeError:
            # psql has ended at an error, and with it the transaction.
            is_done = False
            script.kill()
            with suppress(BrokenPipeError):
                target.stdin.close()
        finally:
            is_late = not late.is_alive()
            late.cancel()
        if is_done:
            return
        if is_late:
            raise _took_too_long("pg_restore")
        complaints.seek(0)
        raise BackupFailed(f"pg_restore: {' '.join(complaints.read().decode(errors='replace').split())}")


def _run(program: str, *arguments: str) -> str:
    """What the program prints. Raises BackupFailed with what it complains of."""
    with _started(program, *arguments, stdout=PIPE, stderr=PIPE) as process:
        try:
            printed, complaints = process.communicate(timeout=_longest())
        except TimeoutExpired as error:
            process.kill()
            raise _took_too_long(program) from error
    if process.returncode:
        raise BackupFailed(f"{program}: {' '.join(complaints.decode(errors='replace').split())}")
    return printed.decode()


def _started(program: str, *arguments: str, **streams: Any) -> Popen[bytes]:
    """The program, which knows the database. Raises BackupFailed if it is not here."""
    given = connection.get_connection_params()
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    place = {variable: str(given[name]) for variable, name in names.items() if given.get(name)}
    options = {"PGOPTIONS": f"-c lock_timeout={settings.DATABASE_TIMEOUTS['lock_timeout']}s"}
    try:
        return Popen([program, *arguments], env=os.environ | place | options, **streams)  # noqa: S603  our own commands
    except FileNotFoundError as error:
        raise BackupFailed(f"{program} is not here; install PostgreSQL's client programs.") from error


def _longest() -> float:
    return float(settings.DATABASE_TIMEOUTS["statement_timeout"])


def _took_too_long(program: str) -> BackupFailed:
    return BackupFailed(f"{program} took longer than BROKKR_DB_BACKUP_STATEMENT_TIMEOUT_SECONDS.")
