"""The agent as a process of its own: killed at random points, without its broker, and stopped."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.brokkr_agent.conftest import config_map
from tests.factories import unique
from tests.support.agent_process import start_agent
from tests.support.cluster import Cluster
from tests.support.live_api import as_admin
from tests.support.proxy import Proxy
from tests.support.server import LiveServer, Template, free_port
from tests.support.waits import wait_for

pytestmark = pytest.mark.kubernetes

# More of them by hand: BROKKR_TEST_AGENT_KILLS=50.
KILLS = int(os.environ.get("BROKKR_TEST_AGENT_KILLS", "8"))
_PATIENCE = 180


class Agent:
    """An agent's process, its key and its namespace."""

    def __init__(self, cluster: Cluster, broker: LiveServer, folder: Path) -> None:
        self.cluster, self.broker, self.folder = cluster, broker, folder
        self.namespace = unique("killed")
        cluster.kubectl("create", "namespace", self.namespace)
        made = self.post("/agents", {"name": self.namespace, "cluster_name": "test"})
        self.id = made["agent"]["id"]
        as_admin(broker, "PUT", f"/agents/{self.id}", {"status": "ACTIVE"})
        (folder / "key").write_text(made["initial_pak"])
        generator = self.post("/generators", {"name": self.namespace})["generator"]["id"]
        self.stacks = [self._stack(generator, number) for number in range(3)]
        self.process: subprocess.Popen[bytes] | None = None

    def _stack(self, generator: str, number: int) -> str:
        body = {"name": f"{self.namespace}-{number}", "generator_id": generator}
        stack_id: str = self.post("/stacks", body)["id"]
        self.post(f"/agents/{self.id}/targets", {"stack_id": stack_id})
        return stack_id

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return as_admin(self.broker, "POST", path, body)

    def row(self) -> Any:
        """The agent, as the broker shows it."""
        return as_admin(self.broker, "GET", f"/agents/{self.id}")

    def statuses(self) -> list[str]:
        """What the agent has reported, by the broker."""
        return [event["status"] for event in as_admin(self.broker, "GET", f"/agents/{self.id}/events")]

    def publish(self, stack: str, *names: str) -> None:
        text = "---\n".join(config_map(name, name, namespace=self.namespace) for name in names)
        self.post(f"/stacks/{stack}/deployment-objects", {"yaml_content": text})

    def start(
        self,
        *arguments: str,
        output: int | None = None,
        kubeconfig: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.process = start_agent(
            self.broker,
            self.cluster,
            self.folder / "key",
            *arguments,
            log=self.folder / "agent.log",
            environment={
                "BROKKR_AGENT_NAMESPACE": self.namespace,
                "BROKKR_AGENT_KUBECONFIG": str(kubeconfig or self.cluster.kubeconfig),
                **(environment or {}),
            },
            stdout=output,
        )

    def role(self) -> str:
        """What `--print-role` prints."""
        self.start("--print-role", output=subprocess.PIPE)
        assert self.process is not None
        return self.process.communicate()[0].decode()

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)

    def names(self) -> set[str]:
        names = (item["metadata"]["name"] for item in self._config_maps())
        return {name for name in names if not name.startswith(("brokkr-inventory", "kube-root-ca"))}

    def inventories(self) -> list[dict[str, Any]]:
        return [
            json.loads(item["data"]["inventory"])
            for item in self._config_maps()
            if item["metadata"]["name"].startswith("brokkr-inventory")
        ]

    def _config_maps(self) -> Any:
        found = self.cluster.kubectl("--namespace", self.namespace, "get", "configmaps", "--output=json")
        return json.loads(found)["items"]


@pytest.fixture
def agent(cluster: Cluster, database_template: Template, tmp_path: Path) -> Iterator[Agent]:
    with database_template.broker(tmp_path, {"BROKKR_SYNC_INTERVAL_SECONDS": "1"}) as broker:
        made = Agent(cluster, broker, tmp_path)
        yield made
        if made.process is not None and made.process.poll() is None:
            made.end(signal.SIGKILL)


def test_killed_at_random_points_while_versions_change_it_ends_where_it_should(agent):
    dice = random.Random(7)  # noqa: S311
    foreign = config_map("foreign", namespace=agent.namespace)
    agent.cluster.kubectl("apply", "--filename=-", stdin=foreign)
    wanted: dict[str, tuple[str, ...]] = {}
    for _ in range(KILLS):
        agent.start()
        for number in dice.sample(range(3), 2):
            names = tuple(f"s{number}-{letter}" for letter in dice.sample("abcdefgh", dice.randint(1, 6)))
            wanted[agent.stacks[number]] = names
            agent.publish(agent.stacks[number], *names)
        # A process takes about half a second until its first round.
        time.sleep(dice.uniform(0.3, 1.5))
        agent.end(signal.SIGKILL)
    agent.start()
    expected = {name for names in wanted.values() for name in names} | {"foreign"}
    _wait_for(agent, lambda: agent.names() == expected)
    _wait_for(agent, lambda: all(each["is_complete"] for each in agent.inventories()))
    recorded = {entry[4] for each in agent.inventories() for entry in each["entries"]}
    assert recorded | {"foreign"} == expected


def test_without_its_broker_it_leaves_everything_as_it_is_and_goes_on_afterwards(agent):
    agent.publish(agent.stacks[0], "before")
    agent.start()
    _wait_for(agent, lambda: agent.names() == {"before"})
    agent.broker.stop()
    _wait_for(agent, lambda: "the broker is away" in (agent.folder / "agent.log").read_text())
    assert agent.names() == {"before"}
    agent.broker.start()
    agent.publish(agent.stacks[0], "after")
    _wait_for(agent, lambda: agent.names() == {"after"})
    assert agent.end(signal.SIGTERM) == 0


def test_without_its_cluster_and_then_its_broker_too_it_goes_on_when_both_are_back(agent):
    port = int(agent.cluster.url.rpartition(":")[2])
    with Proxy(port) as proxy:
        text = agent.cluster.kubeconfig.read_text()
        kubeconfig = agent.folder / "proxied.kubeconfig"
        kubeconfig.write_text(text.replace(agent.cluster.url, f"https://127.0.0.1:{proxy.port}"))
        agent.publish(agent.stacks[0], "before")
        agent.start(kubeconfig=kubeconfig)
        _wait_for(agent, lambda: agent.names() == {"before"})
        proxy.move(free_port())
        agent.publish(agent.stacks[0], "during")
        _wait_for(agent, lambda: agent.row()["k8s_reachable"] is False)
        agent.broker.stop()
        _wait_for(agent, lambda: "the broker is away" in (agent.folder / "agent.log").read_text())
        assert agent.names() == {"before"}
        proxy.move(port)
        agent.broker.start()
        agent.publish(agent.stacks[0], "after")
        _wait_for(agent, lambda: agent.names() == {"after"})
        assert agent.end(signal.SIGTERM) == 0


def test_once_it_applies_what_there_is_and_ends(agent):
    agent.publish(agent.stacks[0], "a", "b")
    agent.start("--once")
    assert agent.process.wait(_PATIENCE) == 0
    assert agent.names() == {"a", "b"}
    assert agent.statuses() == ["SUCCESS"]
    assert "- configmaps\n" in agent.role()


@pytest.mark.parametrize("name", ["BROKKR_AGENT_BROKER_URL", "BROKKR_AGENT_CA_FILE"])
def test_a_wrong_configuration_is_named(agent, name):
    agent.start(environment={name: "nonsense"})
    assert agent.process.wait(_PATIENCE) == 2
    assert name in json.loads((agent.folder / "agent.log").read_text())["problem"]


def test_once_it_ends_without_its_broker_and_says_why(agent):
    agent.start("--once", environment={"BROKKR_AGENT_BROKER_URL": f"http://127.0.0.1:{free_port()}"})
    assert agent.process.wait(_PATIENCE) == 1
    assert "cannot be reached" in json.loads((agent.folder / "agent.log").read_text())["problem"]


def _wait_for(agent: Agent, condition: Callable[[], bool]) -> None:
    try:
        wait_for(condition, patience=_PATIENCE)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{(agent.folder / 'agent.log').read_text()[-4000:]}") from error
