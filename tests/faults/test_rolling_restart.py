"""Two replicas behind nginx, restarted one after the other under load, lose no request that may be sent twice."""

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
from tests.support.nginx import needs_nginx, nginx
from tests.support.server import NO_TLS, LiveServer

pytestmark = [pytest.mark.faults, needs_nginx]

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
            servers.append(running.enter_context(server.running()))
        yield servers


@pytest.fixture
def proxy_url(replicas: list[LiveServer], tmp_path: Path) -> Iterator[str]:
    """nginx in front of both, as the how-to sets it up."""
    one, two = (f"127.0.0.1:{replica.port}" for replica in replicas)
    places = {"127.0.0.1:3001": one, "127.0.0.1:3002": two, "127.0.0.1:3000": "127.0.0.1:PORT"}
    with nginx("docs/how-to/scale-out.md", places, tmp_path) as url:
        yield url


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
