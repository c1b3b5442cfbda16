"""Two replicas behind nginx, restarted one after the other under load, lose no request that may be sent twice."""

import re
import shutil
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.faults.conftest import Cluster
from tests.support.server import NO_TLS, ROOT, LiveServer, free_port, http_get
from tests.support.waits import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        shutil.which("nginx") is None, reason="nginx is not here: apt-get install nginx-light"
    ),
]

CLIENTS = 10
# Together with the time of the answers, no more than 50 requests in a second.
PAUSE_SECONDS = 0.2


@pytest.fixture
def replicas(cluster: Cluster, tmp_path: Path) -> Iterator[list[LiveServer]]:
    with ExitStack() as running:
        servers = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            server = LiveServer(
                database_url=cluster.postgres.url, data_dir=tmp_path / name, admin_key=cluster.admin_key
            )
            server.start()
            running.callback(server.kill)
            servers.append(server)
        yield servers


@pytest.fixture
def proxy_url(replicas: list[LiveServer], tmp_path: Path) -> Iterator[str]:
    """nginx in front of both, as the how-to sets it up."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/how-to/scale-out.md").read_text(), re.DOTALL)
    port = free_port()
    for written, used in (("3001", replicas[0].port), ("3002", replicas[1].port), ("3000", port)):
        block = block.replace(f"127.0.0.1:{written}", f"127.0.0.1:{used}")
    configuration = tmp_path / "nginx.conf"
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration.write_text(
        f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{block} }}\n"
    )
    process = subprocess.Popen(["nginx", "-c", str(configuration), "-p", str(tmp_path)])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _is_ready(url), patience=60)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(url: str) -> bool:
    try:
        return http_get(f"{url}/readyz", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def test_no_get_and_no_keyed_post_is_lost(cluster: Cluster, replicas: list[LiveServer], proxy_url: str):
    over = Event()

    def load(number: int) -> list[tuple[str, int]]:
        seen = []
        headers = {"Authorization": f"Bearer {cluster.admin_key}"}
        with httpx.Client(
            base_url=f"{proxy_url}/api/v1", headers=headers, timeout=60, verify=NO_TLS
        ) as client:
            for count in range(1_000_000):
                if over.is_set():
                    break
                seen.append(("GET", client.get(f"/stacks/{cluster.rows.stack_id}").status_code))
                body = {"name": f"{proxy_url}-{number}-{count}"}
                key = {"Idempotency-Key": uuid.uuid4().hex}
                seen.append(("POST", client.post("/generators", json=body, headers=key).status_code))
                time.sleep(2 * PAUSE_SECONDS)
        return seen

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load, number) for number in range(CLIENTS)]
        try:
            for replica in replicas:
                replica.stop()
                replica.start()
        finally:
            over.set()
        answers = Counter(answer for client in clients for answer in client.result())

    assert set(answers) == {("GET", 200), ("POST", 201)}
    with httpx.Client(base_url=f"{proxy_url}/api/v1", verify=NO_TLS, timeout=60) as client:
        listed = client.get("/generators", headers={"Authorization": f"Bearer {cluster.admin_key}"}).json()
    made = [row["name"] for row in listed if row["name"].startswith(proxy_url)]
    assert len(made) == answers["POST", 201]
