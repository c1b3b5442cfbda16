"""PostgreSQL goes away under load and comes back; the broker says so in between and needs no restart."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.factories import manifest
from tests.support.live_api import Rows, created, live_client, make_rows
from tests.support.postgres import PrivatePostgres, private_postgres
from tests.support.server import LiveServer, http_get

pytestmark = [pytest.mark.live, pytest.mark.requires_postgres]

CLIENTS = 6
# A request that takes longer than this hangs, and fails the test.
PATIENCE_SECONDS = 60
# As long as a request may wait for the database: a busy machine is not to be taken for one that is away.
QUEUE_PATIENCE_SECONDS = 8


@pytest.fixture
def postgres() -> Iterator[PrivatePostgres]:
    with private_postgres() as server:
        yield server


@pytest.fixture
def outage_broker(postgres: PrivatePostgres, tmp_path: Path) -> Iterator[LiveServer]:
    broker = LiveServer(
        database_url=postgres.url,
        data_dir=tmp_path,
        environment={"BROKKR_QUEUE_PATIENCE_SECONDS": str(QUEUE_PATIENCE_SECONDS)},
    )
    broker.prepare()
    with broker.running():
        yield broker


class Load:
    """Clients that read and write without a pause, and what they were answered."""

    def __init__(self, broker: LiveServer, rows: Rows) -> None:
        self.broker, self.rows = broker, rows
        self.answers: list[httpx.Response] = []
        self._over = Event()

    def run(self, number: int) -> None:
        with live_client(self.broker, self.rows.generator_key) as generator:
            generator.timeout = httpx.Timeout(PATIENCE_SECONDS)
            for count in range(1_000_000):
                if self._over.is_set():
                    return
                path = f"/stacks/{self.rows.stack_id}/deployment-objects"
                self.answers.append(generator.post("/stacks", json={"name": f"{number}-{count}"}))
                self.answers.append(generator.post(path, json={"yaml_content": manifest(1)}))
                self.answers.append(generator.get(f"/stacks/{self.rows.stack_id}"))

    def stop(self) -> None:
        self._over.set()

    def wait_for(self, status: int, at_least: int, clients: list["Future[None]"]) -> None:
        """Until so many more answers had this status; a client that failed ends the wait with its exception."""
        seen = len(self.answers)
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while Counter(answer.status_code for answer in self.answers[seen:])[status] < at_least:
            for client in clients:
                if client.done():
                    client.result()
            assert time.monotonic() < deadline, Counter(answer.status_code for answer in self.answers)
            time.sleep(0.05)


def test_a_database_that_goes_and_returns_costs_only_the_time_between(
    outage_broker: LiveServer, postgres: PrivatePostgres
):
    rows = make_rows(outage_broker, "outage")
    load = Load(outage_broker, rows)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.run, number) for number in range(CLIENTS)]
        try:
            load.wait_for(201, 50, clients)
            postgres.stop()
            load.wait_for(503, 50, clients)

            ready = http_get(f"{outage_broker.url}/readyz", timeout=PATIENCE_SECONDS)
            alive = http_get(f"{outage_broker.url}/healthz", timeout=PATIENCE_SECONDS)
            health = http_get(f"{outage_broker.url}/health", timeout=PATIENCE_SECONDS)
            metrics = http_get(f"{outage_broker.url}/metrics", timeout=PATIENCE_SECONDS)
            target_state = http_get(
                f"{outage_broker.url}/api/v1/agents/{rows.agent_id}/target-state",
                headers={"Authorization": f"Bearer {rows.agent_key}"},
                timeout=PATIENCE_SECONDS,
            )

            postgres.start()
            load.wait_for(201, 50, clients)
        finally:
            load.stop()
        for client in clients:
            client.result()

    assert (ready.status_code, alive.status_code, health.status_code) == (503, 200, 503)
    assert metrics.status_code == 503
    # Not an empty list: an agent would remove everything it runs.
    assert target_state.status_code == 503
    statuses = Counter(answer.status_code for answer in load.answers)
    assert set(statuses) == {200, 201, 503}
    for answer in load.answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "database_unavailable"
            assert int(answer.headers["Retry-After"]) > 0
    # The same two processes all along.
    assert outage_broker.log.read_text(encoding="utf-8").count("Booting worker") == 2
    assert "Traceback" not in outage_broker.log.read_text(encoding="utf-8")

    # Every connection of every worker has recovered, and what had been acknowledged is still there.
    with live_client(outage_broker, rows.generator_key) as generator:
        names = {stack["name"] for stack in created(generator.get("/stacks"))}
    acknowledged = {
        answer.json()["name"]
        for answer in load.answers
        if answer.status_code == 201 and "name" in answer.json()
    }
    assert acknowledged <= names

    def ask(_: int) -> int:
        with live_client(outage_broker, rows.generator_key) as client:
            return client.get(f"/stacks/{rows.stack_id}").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(64))) == {200}
    # One after the other: each makes a connection of its own, and has two seconds and a half for it.
    for _ in range(8):
        assert http_get(f"{outage_broker.url}/readyz", timeout=PATIENCE_SECONDS).status_code == 200
