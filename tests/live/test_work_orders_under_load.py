"""Work orders with many claimants at once, and with processes that die in the middle."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any

import pytest

from tests.support.server import ROOT, LiveServer
from tests.support.waits import wait_for

pytestmark = pytest.mark.live

ON_POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")
# SQLite has one writer at a time, so more threads would only wait longer.
CLAIMANTS = 64 if ON_POSTGRES else 8
ORDERS = 1_000
# This many threads run for the same orders, in the same sequence.
RIVALS = 2
PATIENCE_SECONDS = 60

# Through the services, in one process and one transaction: a thousand requests would take longer than the test.
_MAKE = """
import json
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from agents.services.agents import create_agent
from core.events import SYSTEM
from core.labels.services import add_label
from workorders.services.claims import claim_work_order
from workorders.services.orders import create_work_order
from workorders.services.targeting import Targeting

given = json.loads({given!r})
now = timezone.now() - timedelta(seconds=given["age"])
with transaction.atomic():
    agents = [create_agent(name=f"load-{{n}}", cluster_name="load", actor=SYSTEM) for n in range(given["agents"])]
    for agent, _ in agents:
        add_label(owner=agent, label="load", actor=SYSTEM)
    orders = [
        create_work_order(work_type="build", yaml_content="kind: Build", targeting=Targeting(labels=["load"]),
                          actor=SYSTEM, now=now, **given["limits"])
        for _ in range(given["orders"])
    ]
    if given["claimed"]:
        for order in orders:
            claim_work_order(work_order_id=order.id, agent_id=agents[0][0].id, actor=SYSTEM, now=now)
print(json.dumps({{"agents": [[str(agent.id), key] for agent, key in agents], "orders": [str(o.id) for o in orders]}}))
"""


@dataclass(frozen=True)
class Claimant:
    """An agent that speaks HTTP with the least of a client, since there are many on the machine of the server.

    A connection for each request: one that the server closes while the next claim is on its way would look like a
    lost claim, and a claim must not be repeated blindly.
    """

    id: str
    key: str
    port: int

    def get(self, path: str) -> Any:
        status, body, _ = self.ask("GET", path)
        assert status == 200, body
        return body

    def claim(self, order: str) -> tuple[int, dict[str, Any]]:
        return self._post(f"/work-orders/{order}/claim", {"agent_id": self.id})

    def complete(self, order: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return self._post(f"/work-orders/{order}/complete", body)

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, answer, _ = self.ask("POST", path, json.dumps(body))
        return status, answer

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Any, HTTPMessage]:
        """Status, body and headers of the answer that decides; raises OSError or HTTPException if there is none.

        One that says `busy` has changed nothing, so the request is sent again.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, answer, fields = self._ask_once(method, path, body)
            if status != 503 or answer["code"] != "busy" or time.monotonic() > until:
                return status, answer, fields
            time.sleep(1)

    def _ask_once(self, method: str, path: str, body: str | None) -> tuple[int, Any, HTTPMessage]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)) as connection:
            connection.request(method, f"/api/v1{path}", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers


@dataclass(frozen=True)
class Fleet:
    claimants: list[Claimant]
    orders: list[str]
    admin: Claimant

    def active(self) -> dict[str, dict[str, Any]]:
        return {order["id"]: order for order in self.admin.get("/work-orders")}

    def log(self) -> dict[str, dict[str, Any]]:
        return {entry["id"]: entry for entry in self.admin.get("/work-order-log")}

    def claimed(self) -> int:
        _, _, headers = self.admin.ask("GET", "/work-orders?status=CLAIMED&limit=1&count=true")
        return int(headers["X-Total-Count"])

    def assert_each_order_is_in_one_place(self) -> None:
        active, log = self.active(), self.log()
        assert not active.keys() & log.keys()
        assert active.keys() | log.keys() == set(self.orders)


@contextmanager
def fleet_of(
    server: LiveServer, *, agents: int, orders: int, age: int = 0, claimed: bool = False, **limits: int
) -> Iterator[Fleet]:
    """Agents of one label and orders for it, `age` seconds old; `claimed` by the first agent if told so."""
    given = json.dumps({"agents": agents, "orders": orders, "age": age, "claimed": claimed, "limits": limits})
    made = json.loads(server.manage("shell", "--no-imports", "--command", _MAKE.format(given=given)))
    yield Fleet(
        claimants=[Claimant(agent_id, key, server.port) for agent_id, key in made["agents"]],
        orders=made["orders"],
        admin=Claimant("", server.admin_key, server.port),
    )


@contextmanager
def worker(server: LiveServer) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py run_worker`, killed at the end of the block if not before."""
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker"],
            cwd=ROOT,
            env=server.environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def test_of_many_claimants_each_order_has_exactly_one(broker: LiveServer):
    with fleet_of(broker, agents=CLAIMANTS, orders=ORDERS) as fleet:
        start = threading.Barrier(CLAIMANTS)
        groups = CLAIMANTS // RIVALS

        def run(index: int) -> list[tuple[str, int, dict[str, Any]]]:
            claimant = fleet.claimants[index]
            start.wait(PATIENCE_SECONDS)
            return [(order, *claimant.claim(order)) for order in fleet.orders[index % groups :: groups]]

        with ThreadPoolExecutor(CLAIMANTS) as threads:
            answers = list(threads.map(run, range(CLAIMANTS)))

        outcomes = Counter((status, body.get("code")) for each in answers for _, status, body in each)
        assert outcomes == {
            (200, None): ORDERS,
            (404, "work_order_not_claimable"): ORDERS * (RIVALS - 1),
        }
        winners = {
            order: claimant.id
            for claimant, each in zip(fleet.claimants, answers, strict=True)
            for order, status, _ in each
            if status == 200
        }
        assert winners.keys() == set(fleet.orders)
        active = fleet.active()
        assert {order: active[order]["claimed_by"] for order in fleet.orders} == winners
        assert {active[order]["status"] for order in fleet.orders} == {"CLAIMED"}
        one = fleet.claimants[0]
        assert one.get(f"/agents/{one.id}/work-orders/pending") == []


# What a claimant may hear whose claim ran out, or whose order went to a rival.
_LOST = {(404, "work_order_not_claimable"), (404, "work_order_not_found"), (409, "stale_claim")}


class Traffic:
    """Claimants that ask, claim and report until the server is gone. Remembers what the server has confirmed."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.finished: dict[str, str] = {}
        self.retried: set[str] = set()
        self.unexpected: list[object] = []
        self._seed = seed

    def run(self, index: int) -> None:
        chance = random.Random(f"{self._seed} {index}")  # noqa: S311  # no secret
        claimant = self.fleet.claimants[index]
        try:
            while True:
                pending = claimant.get(f"/agents/{claimant.id}/work-orders/pending?limit=16")
                if pending:
                    self._work(claimant, chance.choice(pending)["id"], success=chance.random() < 0.7)
        except (OSError, HTTPException):
            return

    def _work(self, claimant: Claimant, order: str, *, success: bool) -> None:
        status, claim = claimant.claim(order)
        if status != 200:
            self._expect_lost(status, claim)
            return
        token = claim["claim_token"]
        status, body = claimant.complete(order, {"success": success, "message": token, "claim_token": token})
        if status == 200:
            self.finished[order] = token
        elif status == 202:
            self.retried.add(order)
        else:
            self._expect_lost(status, body)

    def _expect_lost(self, status: int, body: dict[str, Any]) -> None:
        if (status, body.get("code")) not in _LOST:
            self.unexpected.append((status, body))


def test_what_was_confirmed_before_a_kill_holds_and_nothing_is_lost(own_broker: LiveServer):
    limits: dict[str, Any] = {"max_retries": 9, "backoff_seconds": 1, "claim_timeout_seconds": 1}
    with fleet_of(own_broker, agents=8, orders=200, **limits) as fleet:
        finished: dict[str, str] = {}
        retried: set[str] = set()
        for seed in range(2):
            traffic = Traffic(fleet, seed)
            with worker(own_broker), ThreadPoolExecutor(8) as threads:
                running = [threads.submit(traffic.run, index) for index in range(8)]
                try:
                    wait_for(lambda: len(traffic.finished) >= 12 and bool(traffic.retried))  # noqa: B023
                finally:
                    own_broker.kill()
                for each in running:
                    each.result(PATIENCE_SECONDS)
            own_broker.start()
            assert traffic.unexpected == []
            fleet.assert_each_order_is_in_one_place()
            assert not finished.keys() & traffic.finished.keys()
            finished |= traffic.finished
            retried |= traffic.retried

        def release() -> bool:
            own_broker.manage("run_worker", "--once")
            return fleet.claimed() == 0

        wait_for(release)
        fleet.assert_each_order_is_in_one_place()
        active, log = fleet.active(), fleet.log()
        assert {order: log[order]["result_message"] for order in finished} == finished
        attempts = {order: active[order]["retry_count"] for order in active} | {
            order: log[order]["retries_attempted"] for order in log
        }
        assert all(attempts[order] >= 1 for order in retried)
        assert max(attempts.values()) <= limits["max_retries"]


def test_a_worker_killed_among_many_releases_leaves_whole_steps_and_the_next_one_does_the_rest(
    own_broker: LiveServer,
):
    orders = 500
    with fleet_of(
        own_broker, agents=1, orders=orders, age=60, claimed=True, claim_timeout_seconds=1
    ) as fleet:
        with worker(own_broker):
            wait_for(lambda: fleet.claimed() < orders)
        left = fleet.claimed()

        # Each order either has its whole release or none of it.
        active = fleet.active()
        assert 0 < left < orders
        assert Counter((order["status"], order["retry_count"]) for order in active.values()) == {
            ("CLAIMED", 0): left,
            ("PENDING", 1): orders - left,
        }

        def release() -> bool:
            own_broker.manage("run_worker", "--once")
            return fleet.claimed() == 0

        wait_for(release)
        assert Counter((order["status"], order["retry_count"]) for order in fleet.active().values()) == {
            ("PENDING", 1): orders
        }
        released = fleet.admin.get("/admin/audit-logs?action=workorder.claim_expired&limit=1000")
        assert Counter(row["resource_id"] for row in released["logs"]) == dict.fromkeys(fleet.orders, 1)
