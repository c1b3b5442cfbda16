"""Others hold every connection that PostgreSQL has to give."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import ask, poll_path
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults


@contextmanager
def all_connections_taken(cluster: Cluster) -> Iterator[None]:
    with ExitStack() as held:
        refusals = 0
        # Connections of a broker that has just ended may still be about to close, and leave their places.
        while refusals < 5:
            try:
                held.enter_context(psycopg.connect(cluster.postgres.url))
                refusals = 0
            except psycopg.OperationalError as error:
                # There is no class for it while a connection is being made.
                assert "too many clients" in str(error)  # noqa: PT017
                refusals += 1
                time.sleep(0.2)
        yield


def test_the_broker_says_so_and_stays_alive(cluster: Cluster, start: Start):
    broker, rows = start(), cluster.rows

    with all_connections_taken(cluster):
        polled = ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key)
        ready = ask(broker, "GET", "/readyz")
        alive = [ask(broker, "GET", "/healthz") for _ in range(10)]

    assert (polled.status, polled.code) == (503, "database_unavailable")
    assert (ready.status, ready.seconds < 3) == (503, True)
    assert {answer.status for answer in alive} == {200}
    assert statistics.median(answer.seconds for answer in alive) < 0.1
    wait_for(lambda: ask(broker, "GET", "/readyz").status == 200)
    assert ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key).status == 200
