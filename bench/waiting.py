"""Agents that wait for news, 1,000 of them: `make bench-waiting`.

How soon a change reaches the ten agents that it is for; how quick probes and other calls are meanwhile, beside the same
with nobody waiting; how many threads of the web processes are busy, and what the waiting costs. PostgreSQL, two web
processes of four threads as in production.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench import data, environment
from simulator.http import Connection, Request, Site
from tests.support.postgres import private_postgres
from tests.support.server import NO_TLS

_STACKS = 2_000
_GROUP = "00000000-0000-7000-8000"
_MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{word: '{word}'}}\n"
_PAUSE = 1.5
_PATIENCE = 60.0
_BETWEEN = 0.02


@dataclass
class _Fleet:
    """What the agents have heard: by version, the moments at which it arrived; and how many calls were answered."""

    site: Site
    arrivals: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waiting: int = 0
    answers: int = 0
    refused: int = 0
    is_over: bool = False

    async def live(self, number: int) -> None:
        """One agent, which waits again and again. They come one after another."""
        await asyncio.sleep(number * _BETWEEN)
        connection, tag, query = Connection(self.site), None, ""
        while not self.is_over:
            body = {"tag": tag, "held": ["0" * 64], "k8s_reachable": True, "k8s_api_latency_ms": 5}
            path = f"/agents/{data.agent_id(number)}/sync{query}"
            self.waiting += bool(query)
            answer = await connection.request(Request("POST", path, data.agent_key(number), body=body))
            self.waiting -= bool(query)
            self.answers += 1
            if answer.status != 200:
                self.refused += 1
                await asyncio.sleep(2)
                continue
            said = answer.json()
            if said["state"] is not None:
                for version in said["state"]["versions"]:
                    self.arrivals[version["id"]].append(answer.ended)
            tag, query = said["tag"], f"?wait_seconds=30&seen={said['seen']}"

    async def run(self, agents: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(agents):
                tasks.create_task(self.live(number))


@dataclass
class _Callers:
    """People and probes, who call meanwhile: the milliseconds of each call."""

    url: str
    admin_key: str
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=_PATIENCE, verify=NO_TLS)

    def call(self, seconds: float) -> dict[str, list[float]]:
        """All calls in turn, until the time is over."""
        took: dict[str, list[float]] = defaultdict(list)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path in ("/healthz", "/readyz", f"/api/v1/stacks/5{_GROUP[1:]}-{1:012x}"):
                began = time.monotonic()
                self._client.get(path).raise_for_status()
                took[path.rpartition("v1")[2].partition("/5")[0]].append((time.monotonic() - began) * 1000)
            time.sleep(0.02)
        return took

    def publish(self, number: int, word: str) -> str:
        """A version of the stack with this number. Returns its id."""
        path = f"/api/v1/stacks/5{_GROUP[1:]}-{number:012x}/deployment-objects"
        answer = self._client.post(path, json={"yaml_content": _MANIFEST.format(word=word)})
        answer.raise_for_status()
        published: str = answer.json()["id"]
        return published

    def busy_threads(self) -> float:
        lines = self._client.get("/metrics").text.splitlines()
        return sum(float(line.split()[1]) for line in lines if line.startswith("brokkr_threads_busy "))


def _wait_for_all(fleet: _Fleet, agents: int) -> None:
    until = time.monotonic() + 3 * _PATIENCE
    while fleet.waiting < agents:
        if time.monotonic() > until:
            raise RuntimeError(f"only {fleet.waiting} agents wait")
        time.sleep(0.1)


def _changes(fleet: _Fleet, callers: _Callers, changes: int) -> tuple[list[float], int]:
    """Publish versions one after another; the seconds from before each call until each agent had it."""
    published = {}
    answered = fleet.answers
    for number in range(changes):
        began = time.monotonic()
        # Stacks of different groups, so for other agents each time.
        published[callers.publish(number * 5, f"change-{number}")] = began
        time.sleep(_PAUSE)
    until = time.monotonic() + _PATIENCE
    while any(len(fleet.arrivals[each]) < 10 for each in published) and time.monotonic() < until:
        time.sleep(0.1)
    took = [arrived - began for each, began in published.items() for arrived in fleet.arrivals[each][:10]]
    return took, fleet.answers - answered


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--changes", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        data.fill(stacks=_STACKS, versions=1, object_bytes=1_000, agents=options.agents)
        server = environment.Server(
            Path(name), worker="gthread", environment={"DJANGO_SETTINGS_MODULE": "brokkr_site.settings"}
        )
        with environment.servers(server):
            notes = environment.machine()
            report = _measure(options, server, environment.admin_key(), environment.postmaster())
    print(json.dumps(report, indent=1))
    environment.save("waiting", {"machine": notes, "report": report})
    return 0


def _measure(
    options: argparse.Namespace, server: environment.Server, admin_key: str, postmaster: int
) -> dict[str, object]:
    url = f"http://127.0.0.1:{server.port}"
    callers = _Callers(url, admin_key)
    before = callers.call(5.0)
    fleet = _Fleet(Site(url))
    threading.Thread(target=lambda: asyncio.run(fleet.run(options.agents)), daemon=True).start()
    _wait_for_all(fleet, options.agents)
    time.sleep(1)
    busy = []
    cpu, began = environment.cpu_ns(server.process.pid) + environment.cpu_ns(postmaster), time.monotonic()
    while time.monotonic() < began + 5:
        busy.append(callers.busy_threads())
        time.sleep(0.5)
    waiting_cpu = environment.cpu_ns(server.process.pid) + environment.cpu_ns(postmaster) - cpu
    cores = waiting_cpu / 1e9 / (time.monotonic() - began)
    meanwhile: dict[str, list[float]] = {}
    caller = threading.Thread(
        target=lambda: meanwhile.update(_Callers(url, admin_key).call(options.changes * _PAUSE))
    )
    caller.start()
    took, answers = _changes(fleet, callers, options.changes)
    caller.join()
    # Who waits is answered when the server ends, and asks no more.
    fleet.is_over = True
    return {
        "agents": options.agents,
        "busy_threads_while_all_wait": {"median": statistics.median(busy), "most": max(busy)},
        "cores_while_all_wait": round(cores, 3),
        "changes": options.changes,
        "seconds_from_publishing_to_arrival": _summary(took, 2),
        "calls_answered_meanwhile": answers,
        "calls_refused": fleet.refused,
        "milliseconds_of_calls": {
            path: {"nobody waits": _summary(before[path], 1), "all wait": _summary(meanwhile[path], 1)}
            for path in before
        },
    }


def _summary(values: list[float], digits: int) -> dict[str, float]:
    rows = sorted(values)
    return {
        "count": len(rows),
        "p50": round(rows[len(rows) // 2], digits),
        "p95": round(rows[int(len(rows) * 0.95)], digits),
        "worst": round(rows[-1], digits),
    }


if __name__ == "__main__":
    raise SystemExit(main())
