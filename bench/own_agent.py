"""What our agent costs beside a real API server: `make bench-agent`.

One agent with many stacks of a ConfigMap and a Deployment each: how long the first round takes; what a minute costs in
which nothing changes, in requests to the API server, CPU and memory. Then, with 50 agents that wait for news, how long
a new version takes from its publication until it is in the cluster. Needs the programs of `make kubernetes`.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import environment
from bench.published import seconds_until_applied
from tests.support.agent_process import start_agent
from tests.support.cluster import Cluster, running_cluster
from tests.support.live_api import as_admin
from tests.support.server import LiveServer, free_port, http_get, temporary_database

_PATIENCE = 900
_STACK = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: c{number}, namespace: bench}}
data: {{word: "{word}", filling: "{filling}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d{number}, namespace: bench}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: d{number}}}}}
  template:
    metadata: {{labels: {{app: d{number}}}}}
    spec: {{containers: [{{name: web, image: web}}]}}
"""


class Bench:
    def __init__(self, broker: LiveServer, cluster: Cluster, folder: Path) -> None:
        self.broker, self.cluster, self.folder, self.port = broker, cluster, folder, free_port()
        self.agent = self.call("POST", "/agents", {"name": "bench", "cluster_name": "bench"})
        self.call("PUT", f"/agents/{self.agent['agent']['id']}", {"status": "ACTIVE"})
        self.call("POST", f"/agents/{self.agent['agent']['id']}/labels", {"label": "bench"})
        self.generator = self.call("POST", "/generators", {"name": "bench"})["generator"]["id"]
        (folder / "key").write_text(self.agent["initial_pak"])
        cluster.kubectl("create", "namespace", "bench")

    def call(self, method: str, path: str, body: object = None) -> Any:
        return as_admin(self.broker, method, path, body)

    def add_stack(self, number: int) -> str:
        body = {"name": f"bench-{number}", "generator_id": self.generator}
        stack: str = self.call("POST", "/stacks", body)["id"]
        self.call("POST", f"/stacks/{stack}/labels", "bench")
        self.publish(stack, number, "first")
        return stack

    def publish(self, stack: str, number: int, word: str) -> None:
        text = _STACK.format(number=number, word=word, filling="x" * 4500)
        self.call("POST", f"/stacks/{stack}/deployment-objects", {"yaml_content": text})

    def start(self) -> subprocess.Popen[bytes]:
        return start_agent(
            self.broker,
            self.cluster,
            self.folder / "key",
            log=self.folder / "agent.log",
            environment={"BROKKR_AGENT_NAMESPACE": "bench", "BROKKR_AGENT_PROBE_PORT": str(self.port)},
        )

    def requests(self) -> float:
        """To the API server, since the agent's start."""
        lines = http_get(f"http://127.0.0.1:{self.port}/metrics").text.splitlines()
        (line,) = (each for each in lines if each.startswith("brokkr_agent_api_requests "))
        return float(line.split()[1])

    def reports(self) -> int:
        return len(self.call("GET", f"/agents/{self.agent['agent']['id']}/events"))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _wait(condition: Any) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError("it never came about")
        time.sleep(0.05)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0, help="for which nothing changes")
    parser.add_argument("--agents", type=int, default=50, help="that wait")
    parser.add_argument("--rounds", type=int, default=2, help="of one version for each of them")
    options = parser.parse_args(arguments)
    notes = {"load_average": os.getloadavg()}
    with ExitStack() as all_of_it:
        folder = Path(all_of_it.enter_context(tempfile.TemporaryDirectory(prefix="brokkr-bench-agent-")))
        url = all_of_it.enter_context(temporary_database(folder))
        broker = LiveServer(database_url=url, data_dir=folder)
        broker.prepare()
        all_of_it.enter_context(broker.running())
        cluster = all_of_it.enter_context(running_cluster())
        report: dict[str, object] = {}
        if options.stacks:
            report = _cost(Bench(broker, cluster, folder), options.stacks, options.seconds)
        if options.agents:
            took = seconds_until_applied(
                broker, cluster, folder, agents=options.agents, rounds=options.rounds
            )
            report["seconds_from_published_to_applied"] = {
                "agents": options.agents,
                "count": len(took),
                "median": round(took[len(took) // 2], 2),
                "p95": round(took[int(len(took) * 0.95)], 2),
                "worst": round(took[-1], 2),
            }
    print(json.dumps(report, indent=1))
    environment.save("own-agent", {"machine": notes, "report": report})
    return 0


def _cost(bench: Bench, stacks: int, seconds: float) -> dict[str, object]:
    for number in range(stacks):
        bench.add_stack(number)
    process = bench.start()
    try:
        began = time.monotonic()
        _wait(lambda: bench.reports() >= stacks)
        first = time.monotonic() - began
        time.sleep(5)
        began, cpu, asked = time.monotonic(), _cpu_seconds(process.pid), bench.requests()
        time.sleep(seconds)
        minutes = (time.monotonic() - began) / 60
        return {
            "stacks": stacks,
            "seconds_until_all_were_applied": round(first, 1),
            "nothing_changes": {
                "api_requests_per_minute": round((bench.requests() - asked) / minutes, 1),
                "share_of_a_core": round((_cpu_seconds(process.pid) - cpu) / (60 * minutes), 4),
                "resident_mib": round(_resident_mib(process.pid), 1),
            },
        }
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
