from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.server import LiveServer, http_get

pytestmark = [pytest.mark.live, pytest.mark.requires_postgres]

PROCESSES, THREADS = 2, 4


def _ask_at_once(server: LiveServer) -> None:
    """Forty-eight requests that need the database, sixteen at a time."""

    def ask(_: int) -> int:
        return http_get(
            f"{server.url}/api/v1/agents", headers={"Authorization": f"Bearer {server.admin_key}"}, timeout=60
        ).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(48))) == {200}


def _backends(server: LiveServer) -> set[int]:
    """The pids of the database's processes that serve the broker's connections."""
    with psycopg.connect(server.database_url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchall()
    return {pid for (pid,) in rows}


def test_each_thread_keeps_one_connection_from_request_to_request(own_broker: LiveServer):
    _ask_at_once(own_broker)
    first = _backends(own_broker)

    _ask_at_once(own_broker)
    second = _backends(own_broker)

    assert first
    assert first <= second
    assert len(second) <= PROCESSES * THREADS
