"""An upgrade without a pause: the previous release runs on the new schema until the processes of this one are ready.

Agents and generators call all the time. Nobody gets a 5xx, and everybody gets what was published.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import EX_TEMPFAIL
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from tests.support.postgres import private_postgres
from tests.support.released import COMMIT, LAST_MIGRATIONS
from tests.support.revision import checkout, has
from tests.support.server import NO_TLS, ROOT, LiveServer, http_get
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults

CLUSTERS = 4
PATIENCE = 300
# A migration that waits for a lock too long gives up, and is run again.
MIGRATE_ATTEMPTS = 10


class Balancer:
    """Where clients send their next request. What a load balancer does when replicas come and go."""

    def __init__(self, *servers: LiveServer) -> None:
        self._servers = servers
        self._turn = 0

    def use(self, *servers: LiveServer) -> None:
        """From now on, send requests to these in turn."""
        self._servers = servers

    def next(self) -> str:
        """The URL of the one whose turn it is."""
        servers = self._servers
        self._turn += 1
        return servers[self._turn % len(servers)].url


@dataclass
class Cluster:
    """A generator with a stack, and the agent that serves it. One thread does what both do."""

    balancer: Balancer
    admin_key: str
    name: str
    rounds: int = 0
    published: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, path: str, *, key: str = "", **options: Any) -> httpx.Response:
        answer = self._client.request(
            method,
            f"{self.balancer.next()}/api/v1{path}",
            headers={"Authorization": f"Bearer {key or self.admin_key}"},
            **options,
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def begin(self) -> None:
        """Make the rows."""
        self._client = httpx.Client(timeout=60, verify=NO_TLS)
        made = self.call("POST", "/generators", json={"name": self.name}).json()
        self.generator_id, self.generator_key = made["generator"]["id"], made["pak"]
        made = self.call("POST", "/agents", json={"name": self.name, "cluster_name": "live"}).json()
        self.agent_id, self.agent_key = made["agent"]["id"], made["initial_pak"]
        self.call("PUT", f"/agents/{self.agent_id}", json={"status": "ACTIVE"})
        self.stack_id = self._make_stack(self.name)

    def _make_stack(self, name: str) -> str:
        stack = self.call(
            "POST", "/stacks", key=self.generator_key, json={"name": name, "generator_id": self.generator_id}
        )
        stack_id: str = stack.json()["id"]
        self.call("POST", f"/agents/{self.agent_id}/targets", json={"stack_id": stack_id})
        return stack_id

    def run(self, over: Event) -> None:
        """Publish, poll, apply, report and look for work, again and again."""
        try:
            while not over.is_set():
                self._round()
                self.rounds += 1
        finally:
            self._client.close()

    def _round(self) -> None:
        text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{round: '{self.rounds}'}}\n"
        path = f"/stacks/{self.stack_id}/deployment-objects"
        new = self.call("POST", path, key=self.generator_key, json={"yaml_content": text}).json()
        self.published.append(new)
        agent = f"/agents/{self.agent_id}"
        own = self.state()
        assert [(one["id"], one["yaml_content"]) for one in own] == [(new["id"], text)]
        self.call("POST", f"{agent}/heartbeat", key=self.agent_key)
        report = {"deployment_object_id": new["id"], "event_type": "DEPLOY", "status": "SUCCESS"}
        self.call("POST", f"{agent}/events", key=self.agent_key, json=report)
        health = {"id": new["id"], "status": "healthy", "summary": None, "checked_at": new["created_at"]}
        self.call(
            "PATCH", f"{agent}/health-status", key=self.agent_key, json={"deployment_objects": [health]}
        )
        order = {"work_type": "build", "yaml_content": "a: 1", "targeting": {"agent_ids": [self.agent_id]}}
        order_id = self.call("POST", "/work-orders", json=order).json()["id"]
        self.call("GET", f"{agent}/work-orders/pending", key=self.agent_key)
        self.call(
            "POST", f"/work-orders/{order_id}/claim", key=self.agent_key, json={"agent_id": self.agent_id}
        )
        self.call(
            "POST",
            f"/work-orders/{order_id}/complete",
            key=self.agent_key,
            json={"success": True, "message": "done"},
        )
        # A stack that comes and goes: its removal is told, acknowledged, and not told again.
        spare = self._make_stack(f"{self.name}-{self.rounds}")
        object_id = self.call(
            "POST", f"/stacks/{spare}/deployment-objects", json={"yaml_content": text}
        ).json()["id"]
        assert {one["id"] for one in self.state()} == {new["id"], object_id}
        self.call(
            "POST", f"{agent}/events", key=self.agent_key, json=report | {"deployment_object_id": object_id}
        )
        self.call("POST", f"/agents/{self.agent_id}/labels", json={"label": f"round-{self.rounds}"})
        self.call("DELETE", f"/stacks/{spare}")
        (marker,) = (one for one in self.state() if one["is_deletion_marker"])
        assert marker["stack_id"] == spare
        self.call(
            "POST",
            f"{agent}/events",
            key=self.agent_key,
            json=report | {"deployment_object_id": marker["id"]},
        )
        assert [one["id"] for one in self.state()] == [new["id"]]
        for listed in (
            "/stacks",
            "/agents",
            f"/stacks/{self.stack_id}/deployment-objects",
            "/work-order-log",
        ):
            self.call("GET", listed)

    def state(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(
            "GET", f"/agents/{self.agent_id}/target-state", key=self.agent_key
        ).json()
        return found


@pytest.fixture
def previous(tmp_path: Path) -> Iterator[LiveServer]:
    """The previous release on a database of its own, with its own schema."""
    if not has(COMMIT):
        pytest.skip(f"the release {COMMIT[:7]} is not in this clone and cannot be fetched")
    with private_postgres() as postgres, checkout(COMMIT) as code:
        for app, name in LAST_MIGRATIONS.items():
            assert max((code / app / "migrations").glob("0*.py")).stem == name
        (tmp_path / "previous").mkdir()
        server = LiveServer(database_url=postgres.url, data_dir=tmp_path / "previous", code=code)
        server.prepare()
        with server.running():
            yield server


@pytest.fixture
def next_one(previous: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    """This release on the same database, not yet started."""
    (tmp_path / "next").mkdir()
    server = LiveServer(
        database_url=previous.database_url, data_dir=tmp_path / "next", admin_key=previous.admin_key
    )
    try:
        yield server
    finally:
        server.kill()


def migrate(server: LiveServer) -> None:
    """Bring the schema up to date, as often as it takes."""
    for _ in range(MIGRATE_ATTEMPTS):
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return
        assert done.returncode == EX_TEMPFAIL, done.stderr
    raise AssertionError(done.stderr)


def test_nobody_notices_an_upgrade(previous: LiveServer, next_one: LiveServer):
    balancer = Balancer(previous)
    clusters = [Cluster(balancer, previous.admin_key, f"cluster-{number}") for number in range(CLUSTERS)]
    for cluster in clusters:
        cluster.begin()
    over = Event()

    with ThreadPoolExecutor(CLUSTERS) as pool:
        running = [pool.submit(cluster.run, over) for cluster in clusters]

        def some_rounds() -> None:
            begun = [cluster.rounds for cluster in clusters]
            wait_for(
                lambda: (
                    any(each.done() for each in running)
                    or all(each.rounds >= before + 2 for each, before in zip(clusters, begun, strict=True))
                ),
                patience=PATIENCE,
            )

        try:
            some_rounds()
            migrate(next_one)
            some_rounds()  # the previous release on the new schema
            next_one.start()
            balancer.use(previous, next_one)
            some_rounds()  # both
            balancer.use(next_one)
            previous.stop()
            some_rounds()
        finally:
            over.set()
        for each in running:
            each.result()

    outcome = json.loads(next_one.manage("run_worker", "--once", "--json"))
    assert set(outcome.values()) == {True}
    for cluster in clusters:
        with httpx.Client(base_url=f"{next_one.url}/api/v1", verify=NO_TLS, timeout=60) as client:
            listed = client.get(
                f"/stacks/{cluster.stack_id}/deployment-objects",
                headers={"Authorization": f"Bearer {previous.admin_key}"},
            ).json()
        assert {one["id"] for one in listed} == {one["id"] for one in cluster.published}
    metrics = http_get(f"{next_one.url}/metrics").text
    assert "brokkr_inventory_complete 1.0" in metrics
