"""A broker that was away, or whose database was, takes nobody for silent whom it could not hear."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg
import pytest

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import ask
from tests.support.proxy import Proxy
from tests.support.server import LiveServer
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults

GRACE = {"BROKKR_AGENT_SILENT_AFTER_SECONDS": "15"}
PATIENCE_SECONDS = 240


@pytest.fixture
def database(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """A connection past every proxy to a copy of the database, because other tests find no silence in theirs."""
    with psycopg.connect(cluster.postgres.url, dbname="template1", autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'")
        server.execute("CREATE DATABASE silences TEMPLATE postgres")
        with psycopg.connect(cluster.postgres.url, dbname="silences", autocommit=True) as connection:
            connection.execute("UPDATE agents SET silent_since = NULL")
            yield connection
        server.execute("DROP DATABASE silences WITH (FORCE)")


def beat(broker: LiveServer, cluster: Cluster) -> bool:
    """Send one heartbeat. Returns whether it was heard."""
    path = f"/api/v1/agents/{cluster.rows.agent_id}/heartbeat"
    return ask(broker, "POST", path, key=cluster.rows.agent_key).status == 204


@contextmanager
def beating(broker: LiveServer, cluster: Cluster) -> Iterator[None]:
    """An agent that sends a heartbeat every second until the block ends, heard or not."""
    over = Event()

    def go_on() -> None:
        while not over.wait(1):
            beat(broker, cluster)

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def silences(database: psycopg.Connection) -> int:
    (count,) = database.execute("SELECT count(*) FROM agents WHERE silent_since IS NOT NULL").fetchone() or (
        0,
    )
    return int(count)


def heard_for(database: psycopg.Connection, seconds: int) -> bool:
    """Whether the broker has noted a span without a break of so many seconds."""
    row = database.execute("SELECT extract(epoch FROM until - since) FROM hearing_mark").fetchone()
    return row is not None and row[0] >= seconds


def test_a_broker_that_was_stopped_for_an_hour_waits_for_its_agents(
    cluster: Cluster, start: Start, database: psycopg.Connection
):
    broker = start(cluster.postgres.url.replace("/postgres?", "/silences?"), **GRACE)
    assert beat(broker, cluster)
    wait_for(lambda: heard_for(database, 0), patience=PATIENCE_SECONDS)
    broker.stop()
    # What the database holds becomes an hour older.
    database.execute("UPDATE agent_heartbeats SET last_heartbeat = last_heartbeat - interval '1 hour'")
    database.execute("UPDATE hearing_mark SET since = since - interval '2 h', until = until - interval '1 h'")
    broker.manage("run_worker", "--once")
    assert silences(database) == 0

    broker.start()
    wait_for(lambda: not heard_for(database, 3000), patience=PATIENCE_SECONDS)
    broker.manage("run_worker", "--once")
    assert silences(database) == 0
    # Now it hears, and an agent that does not come within its grace is silent.
    with broker.worker():
        wait_for(lambda: silences(database) == 1, patience=PATIENCE_SECONDS)
    assert heard_for(database, 15)


def test_while_the_database_was_away_nobody_was_silent(
    cluster: Cluster, start: Start, proxy: Proxy, database: psycopg.Connection
):
    broker = start(f"postgresql://postgres@127.0.0.1:{proxy.port}/silences", **GRACE)
    with broker.worker(), beating(broker, cluster):
        wait_for(lambda: heard_for(database, 6), patience=PATIENCE_SECONDS)
        heard_from = database.execute("SELECT since FROM hearing_mark").fetchone()
        proxy.fall_silent(for_new_ones=True)
        assert not Event().wait(20), "longer than the grace"
        proxy.heal()
        wait_for(
            lambda: database.execute("SELECT since FROM hearing_mark").fetchone() != heard_from,
            patience=PATIENCE_SECONDS,
        )
        # Long enough for a worker to judge.
        wait_for(lambda: heard_for(database, 16), patience=PATIENCE_SECONDS)
        broker.manage("run_worker", "--once")
        assert silences(database) == 0
