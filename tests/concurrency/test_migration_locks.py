"""A migration takes the locks of all its tables at once, and holds none while it cannot have the others."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, connections

from core.migration_locks import LockTables
from tests.support.waits import wait_for

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


def _lock(taken: Event, let_go: Event) -> None:
    try:
        with connection.schema_editor() as editor:
            LockTables(altered=("stacks",), extended=("agents",)).code(None, editor)
            taken.set()
            assert let_go.wait(60)
    finally:
        connections.close_all()


def _held() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relation::regclass::text FROM pg_locks WHERE granted AND pid <> pg_backend_pid()"
            " AND mode IN ('AccessExclusiveLock', 'ShareRowExclusiveLock')"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return {name for (name,) in cursor.fetchall()}


def test_it_waits_with_empty_hands_for_a_writer():
    taken, let_go = Event(), Event()
    writer = connection.copy()
    try:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute("UPDATE agents SET name = name")
        with ThreadPoolExecutor(1) as pool:
            migration = pool.submit(_lock, taken, let_go)
            try:
                assert not taken.wait(1)
                # Between two attempts nothing is held.
                wait_for(lambda: not _held(), patience=60)
                writer.commit()
                assert taken.wait(60)
                assert {"stacks", "agents"} <= _held()
            finally:
                let_go.set()
            migration.result()
    finally:
        writer.rollback()
        writer.close()
