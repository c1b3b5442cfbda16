"""An agent of ours beside a broker in this process and a fake cluster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction

from agents.models import AgentEvent
from brokkr_agent.__main__ import make_rounds
from brokkr_agent.appliance import Patience
from brokkr_agent.broker import Broker
from brokkr_agent.configuration import Configuration
from brokkr_agent.rounds import Rounds
from brokkr_site.wsgi import application
from core.events import SYSTEM
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack, lock_stack
from tests.brokkr_agent.fake_cluster import FakeCluster
from tests.factories import make_agent, make_object, make_stack, make_target


@dataclass
class World:
    """One agent in the broker, its cluster, and the process that runs now."""

    row: Any
    key_file: Path
    cluster: FakeCluster
    transport: httpx2.BaseTransport
    options: dict[str, Any] = field(default_factory=dict)
    time: float = 0.0
    rounds: Rounds = None

    def restart(self, **options: Any) -> Rounds:
        """A new process of the agent, which remembers nothing."""
        self.options |= options
        configuration = Configuration(broker_url="http://broker.test", key_file=self.key_file, **self.options)
        broker = Broker(configuration.broker_url, self.key_file, transport=self.transport)
        self.rounds = make_rounds(configuration, broker, self.cluster.connect(), str(self.row.id))
        self.rounds.clock = self.rounds.execution.clock = lambda: self.time
        self.rounds.errands._workshop.sleep = lambda _: None
        self.rounds.appliance.patience = Patience(seconds=0)
        return self.rounds

    def run(self, rounds: int = 3) -> None:
        """Rounds with time enough between them that whatever failed is tried again."""
        for _ in range(rounds):
            self.time += 1000
            self.rounds.run()

    def publish(self, stack: Stack, *objects: str) -> DeploymentObject:
        """A version of these objects."""
        return make_object(stack, "---\n".join(objects))

    def said(self) -> list[tuple[int, str, str | None]]:
        """What the agent has reported: the number of the version, the status and the message."""
        events = AgentEvent.objects.filter(agent=self.row.id).order_by("updated_at", "id")
        return [
            (event.deployment_object.sequence_id, event.status, event.message)
            for event in events.select_related("deployment_object")
        ]


def config_map(name: str, word: str = "", *, namespace: str = "brokkr", annotations: str = "{}") -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}, "
        f"annotations: {annotations}}}\ndata: {{word: '{word}'}}\n"
    )


def place(name: str, namespace: str = "brokkr") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"


@pytest.fixture
def world(db: None, tmp_path: Path) -> Iterator[World]:
    row, api = make_agent(active=True)
    key_file = tmp_path / "key"
    key_file.write_text(str(api.key))
    made = World(row, key_file, FakeCluster(), httpx2.WSGITransport(app=application))
    made.restart()
    # Each request would end the connection that holds the test's transaction.
    for moment in (request_started, request_finished):
        moment.disconnect(close_old_connections)
    yield made
    for moment in (request_started, request_finished):
        moment.connect(close_old_connections)
    made.rounds.errands.stop.set()
    made.rounds.errands.wait(60)


@pytest.fixture
def stack(world: World) -> Stack:
    return new_stack(world)


def new_stack(world: World) -> Stack:
    stack = make_stack()
    make_target(world.row, stack)
    return stack


def remove(stack_id: UUID) -> None:
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack_id), actor=SYSTEM)
