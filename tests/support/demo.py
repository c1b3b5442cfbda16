"""A demonstration: a broker, two clusters with an agent each, a rollout that succeeds, and one that is undone.

`python -m tests.support.demo` leaves everything running until it is interrupted, to be looked at in the admin.
With `--end` it ends after the last step. The programs of the clusters are those of `tests.support.kubernetes`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support.agent_process import start_agent
from tests.support.cluster import Cluster, running_cluster
from tests.support.live_api import as_admin
from tests.support.server import LiveServer, temporary_database
from tests.support.waits import wait_for

_PATIENCE = 120
_CLUSTERS = ("hamburg", "munich")
_STRATEGY = {
    "name": "one cluster first",
    "on_failure": "roll_back",
    "waves": [
        {"name": "canary", "count": 1, "soak_seconds": 2, "deadline_seconds": 300},
        {"name": "rest", "soak_seconds": 2, "deadline_seconds": 300},
    ],
}
_GOOD = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {greeting: "WORD"}
"""
# The API server refuses a Deployment without a selector.
_BAD = (
    _GOOD
    + """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: web, image: web}]}}}
"""
)


class Demo:
    """What the steps share."""

    def __init__(self, broker: LiveServer, clusters: dict[str, Cluster]) -> None:
        self.broker, self.clusters = broker, clusters
        self.started = time.monotonic()

    def say(self, sentence: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {sentence}", flush=True)  # noqa: T201

    def call(self, method: str, path: str, body: object = None) -> Any:
        return as_admin(self.broker, method, path, body)

    def add_agent(self, name: str, folder: Path) -> Path:
        """An active agent with the label `shop`; the file with its key."""
        made = self.call("POST", "/agents", {"name": f"agent-{name}", "cluster_name": name})
        self.call("POST", f"/agents/{made['agent']['id']}/labels", {"label": "shop"})
        self.call("PUT", f"/agents/{made['agent']['id']}", {"status": "ACTIVE"})
        key_file = folder / f"{name}.key"
        key_file.write_text(made["initial_pak"])
        return key_file

    def publish(self, stack: str, text: str, state: str) -> None:
        """Publish, and wait until the rollout is in this state."""
        version = self.call("POST", f"/stacks/{stack}/deployment-objects", {"yaml_content": text})
        self.say(f"version {version['sequence_id']} is published, and rolls out")
        (listed,) = self.call("GET", f"/rollouts?stack_id={stack}&limit=1")
        said = ""
        until = time.monotonic() + _PATIENCE
        while (rollout := self.call("GET", f"/rollouts/{listed['id']}"))["state"] != state:
            if rollout["waits_for"] != said:
                said = rollout["waits_for"]
                self.say(f"the rollout is {rollout['state']}: {said}")
            assert time.monotonic() < until, f"the rollout is {rollout['state']}, not {state}"
            time.sleep(0.3)
        self.say(f"the rollout is {state}")

    def greetings(self) -> dict[str, str]:
        """By cluster, what the ConfigMap of the stack says there."""
        said = {}
        for name, cluster in self.clusters.items():
            found = cluster.try_kubectl("--namespace=shop", "get", "configmap", "settings", "--output=json")
            said[name] = json.loads(found.stdout)["data"]["greeting"] if not found.returncode else ""
        return said

    def wait_for(self, greeting: str) -> None:
        """Until every cluster has it."""
        wanted = dict.fromkeys(self.clusters, greeting)
        wait_for(lambda: self.greetings() == wanted, patience=_PATIENCE)
        self.say(f"both clusters have the greeting “{greeting}”")

    def play(self) -> None:
        """All steps. Raises AssertionError if one does not come about."""
        generator = self.call("POST", "/generators", {"name": "pipeline"})["generator"]["id"]
        stack = self.call("POST", "/stacks", {"name": "shop", "generator_id": generator})["id"]
        self.call("POST", f"/stacks/{stack}/labels", "shop")
        self.call("POST", "/rollout-strategies", _STRATEGY)
        self.call("PUT", f"/stacks/{stack}/rollout-strategy", {"strategy": _STRATEGY["name"]})
        self.publish(stack, _GOOD.replace("WORD", "hello"), "succeeded")
        self.wait_for("hello")
        self.publish(stack, _BAD.replace("WORD", "broken"), "rolled_back")
        self.wait_for("hello")


@contextmanager
def _agent(broker: LiveServer, cluster: Cluster, key_file: Path, log: Path) -> Iterator[None]:
    process = start_agent(broker, cluster, key_file, log=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(_PATIENCE)


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Broker, worker, clusters and agents, as long as the block."""
    with ExitStack() as all_of_it:
        folder = Path(all_of_it.enter_context(tempfile.TemporaryDirectory(prefix="brokkr-demo-")))
        url = all_of_it.enter_context(temporary_database(folder))
        broker = LiveServer(
            database_url=url, data_dir=folder, environment={"BROKKR_SYNC_INTERVAL_SECONDS": "10"}
        )
        broker.prepare()
        all_of_it.enter_context(broker.running())
        all_of_it.enter_context(broker.worker())
        clusters = {name: all_of_it.enter_context(running_cluster()) for name in _CLUSTERS}
        demo = Demo(broker, clusters)
        for name, cluster in clusters.items():
            key_file = demo.add_agent(name, folder)
            all_of_it.enter_context(_agent(broker, cluster, key_file, folder / f"{name}.log"))
        demo.say("the broker, two clusters and an agent in each run")
        yield demo


def main(arguments: list[str]) -> int:
    """Play it. The password of the admin is printed, because the broker ends with this program."""
    with running_demo() as demo:
        demo.say(f"the admin is at {demo.broker.url}/admin/")
        for line in demo.broker.manage("bootstrap", "--with-site-user").splitlines():
            demo.say(line)
        demo.play()
        if arguments != ["--end"]:
            demo.say("look around; Ctrl-C ends everything")
            _wait_until_interrupted()
    return 0


def _wait_until_interrupted(sleep: Callable[[float], None] = time.sleep) -> None:
    try:
        while True:
            sleep(3600)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
