"""How long a version takes from its publication until it is in the cluster, with many agents that wait for news."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.support.agent_process import start_agent
from tests.support.cluster import Cluster
from tests.support.live_api import as_admin
from tests.support.server import LiveServer
from tests.support.waits import wait_for

_PATIENCE = 600
# Between two publications, so that the agents do not stand in line for one API server.
_PAUSE = 0.25
_CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: published, namespace: waits-{number}, labels: {{bench: published}}}}
data: {{word: "{word}", filling: "{filling}"}}
"""


class _Watch:
    """The moments at which words came to be in the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.seen: dict[str, float] = {}
        self._client = httpx.Client(
            base_url=cluster.url,
            verify=str(cluster.certificate),
            headers={"Authorization": f"Bearer {cluster.admin_token}"},
            timeout=None,
        )

    def run(self) -> None:
        query = {"watch": "true", "labelSelector": "bench=published"}
        # It is cut off when the cluster ends.
        with (
            suppress(httpx.TransportError),
            self._client.stream("GET", "/api/v1/configmaps", params=query) as answer,
        ):
            for line in answer.iter_lines():
                word = json.loads(line)["object"].get("data", {}).get("word")
                if word is not None:
                    self.seen.setdefault(word, time.monotonic())


def seconds_until_applied(
    broker: LiveServer, cluster: Cluster, folder: Path, *, agents: int, rounds: int
) -> list[float]:
    """The seconds from before each publication, a version of 5 KB for one of the agents, sorted."""
    generator = as_admin(broker, "POST", "/generators", {"name": "published"})["generator"]["id"]
    watch = _Watch(cluster)
    threading.Thread(target=watch.run, daemon=True).start()
    with ExitStack() as processes:
        stacks = [
            processes.enter_context(_agent(broker, cluster, folder, generator, number))
            for number in range(agents)
        ]
        began = {}
        for turn in range(rounds + 1):
            for number, stack in enumerate(stacks):
                word = f"{number}-{turn}"
                began[word] = time.monotonic()
                text = _CONFIG_MAP.format(number=number, word=word, filling="x" * 4800)
                as_admin(broker, "POST", f"/stacks/{stack}/deployment-objects", {"yaml_content": text})
                time.sleep(_PAUSE)
            wait_for(lambda: began.keys() <= watch.seen.keys(), patience=_PATIENCE)
            # What has been applied is reported a second later; then all wait again.
            time.sleep(5)
    # The first round finds agents that have not begun to wait.
    return sorted(watch.seen[word] - at for word, at in began.items() if not word.endswith("-0"))


@contextmanager
def _agent(broker: LiveServer, cluster: Cluster, folder: Path, generator: str, number: int) -> Iterator[str]:
    """A process of an agent that serves a stack of its own, whose id this is."""
    name = f"waits-{number}"
    cluster.kubectl("create", "namespace", name)
    made: Any = as_admin(broker, "POST", "/agents", {"name": name, "cluster_name": "bench"})
    agent = made["agent"]["id"]
    as_admin(broker, "PUT", f"/agents/{agent}", {"status": "ACTIVE"})
    stack: str = as_admin(broker, "POST", "/stacks", {"name": name, "generator_id": generator})["id"]
    as_admin(broker, "POST", f"/agents/{agent}/targets", {"stack_id": stack})
    key = folder / f"{name}.key"
    key.write_text(made["initial_pak"])
    process = start_agent(
        broker,
        cluster,
        key,
        log=folder / f"{name}.log",
        environment={"BROKKR_AGENT_NAMESPACE": name},
    )
    try:
        yield stack
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(120)
