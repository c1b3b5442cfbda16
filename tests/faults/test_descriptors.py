"""A process whose file descriptors run out lives on, and takes connections again."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Cluster
from tests.support.clocked import ask, poll_path
from tests.support.raw_http import Wire
from tests.support.server import ROOT, LiveServer
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("limit", [80, 256])
def test_more_clients_than_descriptors_end_no_process(cluster: Cluster, tmp_path: Path, limit: int):
    broker = LiveServer(
        database_url=cluster.postgres.url,
        data_dir=tmp_path,
        admin_key=cluster.admin_key,
        environment={"BROKKR_WEB_WORKERS": "1"},
    )
    with broker.log.open("ab") as log:
        process = subprocess.Popen(
            ["bash", "-c", f"ulimit -n {limit} && exec {sys.executable} -m gunicorn"],
            cwd=ROOT,
            env=broker.environment,
            stdout=log,
            stderr=log,
        )
    try:
        broker.wait_until_ready(process)
        clients = [Wire(broker, None) for _ in range(2 * limit)]
        for client in clients:
            client.send(b"GET /healthz HTTP/1.1\r\n")
        for client in clients:
            with client:
                pass

        wait_for(lambda: ask(broker, "GET", "/readyz").status == 200, patience=60)
        polled = ask(broker, "GET", poll_path(cluster.rows.agent_id), key=cluster.rows.agent_key)
        said = broker.log.read_text(encoding="utf-8")
    finally:
        process.terminate()
        process.wait(60)

    assert polled.status == 200
    assert (said.count("Booting worker"), "Traceback" in said) == (1, False)
