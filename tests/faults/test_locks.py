"""Somebody else's idle transaction holds a lock: who needs it is told so soon, everybody else notices nothing."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import Clocked, ask, poll_path
from tests.support.live_api import MANIFEST
from tests.support.server import LiveServer

pytestmark = pytest.mark.faults

STUCK_CLIENTS = 16
LONGEST_SECONDS = 10
# The burst that found nothing stuck yet holds all threads for half a second.
SOON_SECONDS = 2


@contextmanager
def locked(cluster: Cluster, statement: LiteralString, *parameters: str) -> Iterator[None]:
    """A transaction that has taken a lock and does nothing more."""
    with psycopg.connect(cluster.postgres.url) as connection:
        connection.execute(statement, parameters)
        yield
        connection.rollback()


def publish(broker: LiveServer, stack_id: str) -> Clocked:
    path = f"/api/v1/stacks/{stack_id}/deployment-objects"
    return ask(broker, "POST", path, key=broker.admin_key, body={"yaml_content": MANIFEST})


def test_one_locked_stack_leaves_the_threads_to_everybody_else(cluster: Cluster, start: Start):
    broker, rows = start(), cluster.rows

    with (
        locked(cluster, "SELECT 1 FROM stacks WHERE id = %s FOR UPDATE", rows.stack_id),
        ThreadPoolExecutor(STUCK_CLIENTS) as pool,
    ):
        stuck = [pool.submit(publish, broker, rows.stack_id) for _ in range(STUCK_CLIENTS)]
        time.sleep(0.2)
        others = [ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key) for _ in range(20)] + [
            ask(broker, "GET", f"/api/v1/stacks/{rows.spare_stack_id}", key=rows.generator_key)
        ]
        alive = [ask(broker, "GET", "/healthz") for _ in range(10)]
        ready = ask(broker, "GET", "/readyz")
        refused = [future.result() for future in stuck]

    assert {answer.status for answer in others} == {200}
    assert max(answer.seconds for answer in others) < SOON_SECONDS
    assert statistics.median(answer.seconds for answer in alive) < 0.1
    assert (ready.status, ready.seconds < SOON_SECONDS) == (200, True)
    for answer in refused:
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "1")
        assert answer.seconds <= LONGEST_SECONDS
    assert publish(broker, rows.stack_id).status == 201


def test_a_request_whose_time_ends_before_the_wait_for_a_lock_does_is_told_busy_too(
    cluster: Cluster, start: Start
):
    broker, rows = start(BROKKR_DB_LOCK_TIMEOUT_SECONDS="60"), cluster.rows

    with locked(cluster, "SELECT 1 FROM stacks WHERE id = %s FOR UPDATE", rows.stack_id):
        refused = publish(broker, rows.stack_id)

    assert (refused.status, refused.code) == (503, "busy")
    assert refused.seconds <= LONGEST_SECONDS
    assert publish(broker, rows.stack_id).status == 201


def test_a_kind_of_call_that_is_locked_leaves_the_threads_to_the_others(cluster: Cluster, start: Start):
    broker, rows = start(), cluster.rows
    path = f"/api/v1/agents/{rows.agent_id}/heartbeat"

    def beat(_: int) -> Clocked:
        return ask(broker, "POST", path, key=rows.agent_key)

    with (
        locked(cluster, "LOCK TABLE agent_heartbeats IN EXCLUSIVE MODE"),
        ThreadPoolExecutor(STUCK_CLIENTS) as pool,
    ):
        stuck = pool.map(beat, range(STUCK_CLIENTS))
        time.sleep(0.2)
        reads = [
            ask(broker, "GET", f"/api/v1/stacks/{rows.stack_id}", key=rows.generator_key) for _ in range(20)
        ]
        refused = list(stuck)

    assert {answer.status for answer in reads} == {200}
    assert max(answer.seconds for answer in reads) < SOON_SECONDS
    assert {(answer.status, answer.code) for answer in refused} == {(503, "busy")}
    assert max(answer.seconds for answer in refused) <= LONGEST_SECONDS
    # Also those that got no thread.
    counted = 'endpoint="/api/v1/agents/:id/heartbeat",method="POST",status="503"'
    scraped = ask(broker, "GET", "/metrics").body.decode().splitlines()
    assert f"brokkr_http_requests_total{{{counted}}} {float(STUCK_CLIENTS)}" in scraped
    assert beat(0).status == 204


def test_a_locked_key_is_good_all_the_same(cluster: Cluster, start: Start):
    broker, rows = start(), cluster.rows
    with psycopg.connect(cluster.postgres.url) as connection:
        connection.execute("UPDATE paks SET last_used_at = NULL")

    with locked(cluster, "SELECT 1 FROM paks FOR UPDATE"):
        polled = ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key)

    assert (polled.status, polled.seconds < SOON_SECONDS) == (200, True)


def test_a_session_of_ours_that_leaves_a_transaction_alone_loses_its_locks(cluster: Cluster, start: Start):
    broker = start(BROKKR_DB_WORKER_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS="1")

    said = broker.manage("shell", "--no-imports", "--command", _LEAVE_ALONE)

    assert said == "ended by the server"


_LEAVE_ALONE = """
import time
from django.db import Error, connection, transaction

try:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM stacks FOR UPDATE")
        time.sleep(2)
        cursor.execute("SELECT 1")
except Error:
    print("ended by the server")
"""
