"""Copies of the whole database in one file: made while the broker runs, read back at once, and restored.

SQLite's file comes by its online backup. PostgreSQL's comes by pg_dump and pg_restore, which must be on the path.
"""

import os
import re
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

# Agents may have seen that many versions more than the backup knows. New ones get greater numbers.
_NUMBERS_SKIPPED = 1_000_000
_MIGRATIONS = "django_migrations"
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
        _run(
            "pg_restore",
            "--clean",
            "--if-exists",
            "--single-transaction",
            "--no-owner",
            "--exit-on-error",
            str(file),
        )
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
        _run("pg_restore", f"--file={os.devnull}", str(file), connects=False)
        text = _run(
            "pg_restore", "--data-only", f"--table={_MIGRATIONS}", "--file=-", str(file), connects=False
        )
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


def _run(program: str, *arguments: str, connects: bool = True) -> str:
    """What the program prints. Raises BackupFailed with what it complains of."""
    given = connection.get_connection_params()
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    place = {variable: str(given[name]) for variable, name in names.items() if given.get(name)}
    command: Sequence[str] = [program, *arguments]
    if connects and program == "pg_restore":
        command = [program, f"--dbname={place['PGDATABASE']}", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  our own commands
            command,
            env=os.environ
            | place
            | {"PGOPTIONS": f"-c lock_timeout={settings.DATABASE_TIMEOUTS['lock_timeout']}s"},
            capture_output=True,
            text=True,
            check=False,
            timeout=settings.DATABASE_TIMEOUTS["statement_timeout"],
        )
    except FileNotFoundError as error:
        raise BackupFailed(f"{program} is not here; install PostgreSQL's client programs.") from error
    except subprocess.TimeoutExpired as error:
        raise BackupFailed(
            f"{program} took longer than BROKKR_DB_BACKUP_STATEMENT_TIMEOUT_SECONDS."
        ) from error
    if done.returncode:
        raise BackupFailed(f"{program}: {' '.join(done.stderr.split())}")
    return done.stdout
