"""PostgreSQL says nothing any more, while its connections stay: all clients are answered, and all threads come back."""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import Clocked, ask, poll_path
from tests.support.live_api import MANIFEST, Rows
from tests.support.proxy import Proxy
from tests.support.server import LiveServer
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults

CLIENTS = 16
# What a client may have to wait for any answer.
LONGEST_SECONDS = 10
# And for any answer when nothing is wrong; the machine may be busy.
SOON_SECONDS = 3


def at_once(broker: LiveServer, rows: Rows, clients: int = CLIENTS) -> list[Clocked]:
    """Polls, heartbeats, reads and publications, all at the same time."""

    def one(number: int) -> Clocked:
        match number % 4:
            case 0:
                return ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key)
            case 1:
                return ask(broker, "POST", f"/api/v1/agents/{rows.agent_id}/heartbeat", key=rows.agent_key)
            case 2:
                return ask(broker, "GET", f"/api/v1/stacks/{rows.stack_id}", key=rows.generator_key)
            case _:
                path = f"/api/v1/stacks/{rows.stack_id}/deployment-objects"
                return ask(broker, "POST", path, key=broker.admin_key, body={"yaml_content": MANIFEST})

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(clients)))


def warm_up(broker: LiveServer, rows: Rows) -> None:
    """Let every thread of every process have a connection."""
    assert {answer.status for answer in at_once(broker, rows, 48)} <= {200, 201, 204}


def refused_in_time(answers: list[Clocked]) -> None:
    for answer in answers:
        assert answer.status == 503
        assert answer.code in {"database_unavailable", "busy"}
        assert int(answer.headers["retry-after"]) > 0
        assert answer.seconds <= LONGEST_SECONDS


def probes_answer(broker: LiveServer) -> None:
    alive = [ask(broker, "GET", path) for path in ("/healthz", "/health/live") * 10]
    assert {answer.status for answer in alive} == {200}
    assert statistics.median(answer.seconds for answer in alive) < 0.1
    with ThreadPoolExecutor(3) as pool:
        ready = list(pool.map(lambda path: ask(broker, "GET", path), ("/readyz", "/health/ready", "/health")))
    assert {answer.status for answer in ready} == {503}
    assert max(answer.seconds for answer in ready) <= SOON_SECONDS


def recovers(broker: LiveServer, rows: Rows) -> None:
    wait_for(lambda: ask(broker, "GET", "/readyz").status == 200, patience=SOON_SECONDS)
    # Those who were sent away come back, and find all threads there.
    wait_for(lambda: {answer.status for answer in at_once(broker, rows)} <= {200, 201, 204})
    assert "Booting worker" in (log := broker.log.read_text(encoding="utf-8"))
    assert log.count("Booting worker") == 2
    assert "Traceback" not in log


@contextmanager
def suspended(cluster: Cluster) -> Iterator[None]:
    cluster.postgres.suspend()
    try:
        yield
    finally:
        cluster.postgres.resume()


Fault = Callable[[], object]


def while_all_are_stuck(broker: LiveServer, rows: Rows) -> None:
    """Sixteen clients for eight threads, and the probes meanwhile; then sixteen more, on new connections."""
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(at_once, broker, rows)
        # Time enough for each thread to have one.
        time.sleep(0.3)
        probes_answer(broker)
        refused_in_time(stuck.result())
    refused_in_time(at_once(broker, rows))
    probes_answer(broker)


def test_a_stopped_cluster_is_answered_for_with_503_and_comes_back(cluster: Cluster, start: Start):
    broker = start()
    warm_up(broker, cluster.rows)

    with suspended(cluster):
        while_all_are_stuck(broker, cluster.rows)

    recovers(broker, cluster.rows)


def test_a_proxy_that_keeps_every_connection_and_says_nothing_is_no_end_either(
    cluster: Cluster, start: Start, proxy: Proxy
):
    broker = start(f"postgres://postgres@127.0.0.1:{proxy.port}/postgres")
    warm_up(broker, cluster.rows)

    proxy.fall_silent(for_new_ones=True)
    while_all_are_stuck(broker, cluster.rows)
    proxy.heal()

    recovers(broker, cluster.rows)


def test_connections_that_fell_silent_are_replaced_while_new_ones_work(
    cluster: Cluster, start: Start, proxy: Proxy
):
    broker = start(f"postgres://postgres@127.0.0.1:{proxy.port}/postgres")
    warm_up(broker, cluster.rows)

    proxy.fall_silent(for_new_ones=False)
    assert ask(broker, "GET", "/readyz").status == 200
    answers = at_once(broker, cluster.rows)

    assert max(answer.seconds for answer in answers) <= LONGEST_SECONDS
    refused_in_time([answer for answer in answers if answer.status not in {200, 201, 204}])
    recovers(broker, cluster.rows)


def test_who_meets_a_connection_that_fell_silent_is_answered_over_a_new_one(
    cluster: Cluster, start: Start, proxy: Proxy
):
    broker, rows = start(f"postgres://postgres@127.0.0.1:{proxy.port}/postgres"), cluster.rows
    warm_up(broker, rows)

    proxy.fall_silent(for_new_ones=False)
    with ThreadPoolExecutor(2) as pool:
        polled = pool.submit(ask, broker, "GET", poll_path(rows.agent_id), key=rows.agent_key)
        read = pool.submit(ask, broker, "GET", f"/api/v1/stacks/{rows.stack_id}", key=rows.generator_key)
    answers = [polled.result(), read.result()]

    assert {answer.status for answer in answers} == {200}
    assert max(answer.seconds for answer in answers) <= LONGEST_SECONDS
