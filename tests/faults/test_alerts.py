"""A real Prometheus scrapes a broker with a simulated fleet, and tells of errors, of no worker and of no database."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import PrivatePostgres, private_postgres
from tests.support.prometheus import Prometheus, prometheus
from tests.support.server import ROOT, LiveServer
from tests.support.waits import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="Prometheus is not here: apt-get install prometheus"
    ),
]

ERRORS = ("BrokkrBudgetBurnsFast", "heartbeat_success")
NO_WORKER = ("BrokkrWorkerGone", "")
NO_DATABASE = ("BrokkrDown", "")
# In all a minute and a half; each wait ends with its condition.
PATIENCE = 180


@pytest.fixture
def postgres() -> Iterator[PrivatePostgres]:
    with private_postgres() as server:
        yield server


@pytest.fixture
def broker(postgres: PrivatePostgres, tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(database_url=postgres.url, data_dir=tmp_path)
    server.prepare()
    with server.running():
        yield server


@contextmanager
def fleet(broker: LiveServer) -> Iterator[None]:
    """Twenty agents that poll and send heartbeats every two seconds, as long as the block."""
    arguments = ["--agents", "20", "--interval", "2", "--stacks", "5", "--matched", "2", "--processes", "1"]
    arguments += ["--object-bytes", "500", "--changes", "0.5", "--duration", "3600", "--keep"]
    with broker.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "simulate_fleet", "--url", broker.url, *arguments],
            cwd=ROOT,
            env=broker.environment | {"BROKKR_ADMIN_PAK": broker.admin_key},
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE)


def _watch(seen: Prometheus, *alerts: tuple[str, str]) -> Callable[[], bool]:
    """A condition: of the three alerts, those fire and no other."""
    return lambda: seen.firing() & {ERRORS, NO_WORKER, NO_DATABASE} == set(alerts)


def test_errors_a_worker_that_is_gone_and_a_database_that_is_gone_are_told(
    postgres: PrivatePostgres, broker: LiveServer, tmp_path: Path
):
    beats = 'brokkr:slo_events:rate5m{slo="heartbeat_success"} > 1'
    (tmp_path / "prometheus").mkdir()
    with fleet(broker), prometheus(broker, tmp_path / "prometheus") as seen:
        with broker.worker():
            wait_for(lambda: bool(seen.ask(beats)), patience=PATIENCE)
            wait_for(_watch(seen), patience=PATIENCE)
            with psycopg.connect(postgres.url) as other:
                other.execute("LOCK TABLE agent_heartbeats IN EXCLUSIVE MODE")
                wait_for(_watch(seen, ERRORS), patience=PATIENCE)
            wait_for(_watch(seen), patience=PATIENCE)
        wait_for(_watch(seen, NO_WORKER), patience=PATIENCE)
        with broker.worker():
            wait_for(_watch(seen), patience=PATIENCE)
            postgres.stop()
            wait_for(_watch(seen, NO_DATABASE), patience=PATIENCE)
        postgres.start()
        wait_for(lambda: NO_DATABASE not in seen.firing(), patience=PATIENCE)
