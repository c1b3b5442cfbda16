"""The rows for calls of the generated client, and the callers that make the calls."""

import itertools
import secrets
import string
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from brokkr_broker_client import AuthenticatedClient
from brokkr_broker_client import models as m

from tests.support.live_api import MANIFEST, Rows, created, live_client, make_rows
from tests.support.receiver import Receiver
from tests.support.sdk import generated_client
from tests.support.server import LiveServer

_numbers = itertools.count(1)


def fresh(kind: str) -> str:
    """A name that no row has."""
    return f"sdk.{kind}-{next(_numbers)}"


# The time that agents of these tests send. The broker stores the times of agents without a check.
LOOKED_AT = datetime(2026, 1, 1, tzinfo=UTC)
RESULT = m.SubmitDiagnosticResult(pod_statuses="[]", events="[]", log_tails=None, collected_at=LOOKED_AT)


def healthy(deployed: UUID) -> m.DeploymentObjectHealthUpdate:
    resource = m.ResourceHealth(kind="ConfigMap", name="settings", namespace="default", ready=True)
    summary = m.HealthSummary(conditions=["Ready"], pods_ready=1, pods_total=1, resources=[resource])
    return m.DeploymentObjectHealthUpdate(
        id=deployed, status="healthy", checked_at=LOOKED_AT, summary=summary
    )


def random_word() -> str:
    """Letters alone, another word each time."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))


@dataclass(frozen=True)
class World:
    """The rows of `make_rows`, a webhook whose deliveries the agent sends, and callers of every kind.

    Each method makes a new row, for a call that uses it up, and returns its id.
    """

    rows: Rows
    webhook: UUID
    receiver: Receiver
    callers: dict[str, AuthenticatedClient]
    admin: httpx.Client

    @property
    def agent(self) -> UUID:
        return UUID(self.rows.agent_id)

    @property
    def generator(self) -> UUID:
        return UUID(self.rows.generator_id)

    @property
    def stack(self) -> UUID:
        return UUID(self.rows.stack_id)

    @property
    def deployed(self) -> UUID:
        return UUID(self.rows.object_id)

    @property
    def template(self) -> UUID:
        return UUID(self.rows.template_id)

    @property
    def order(self) -> UUID:
        return UUID(self.rows.work_order_id)

    def post(self, path: str, body: object = None) -> Any:
        """The answer to a POST by an admin."""
        return created(self.admin.post(path, json=body))

    def new_agent(self) -> UUID:
        return UUID(self.post("/agents", {"name": fresh("agent"), "cluster_name": "live"})["agent"]["id"])

    def new_generator(self) -> UUID:
        return UUID(self.post("/generators", {"name": fresh("generator")})["generator"]["id"])

    def new_stack(self) -> UUID:
        body = {"name": fresh("stack"), "generator_id": self.rows.generator_id}
        return UUID(self.post("/stacks", body)["id"])

    def new_template(self) -> UUID:
        """A template that the generator of the rows owns."""
        body = {"name": fresh("template"), "template_content": MANIFEST, "parameters_schema": "{}"}
        return UUID(self._posted_by("owner", "/templates", body)["id"])

    def new_webhook(self, path: str = "/hook") -> UUID:
        body = {
            "name": fresh("webhook"),
            "url": self.receiver.url(path),
            "event_types": ["generator.created"],
        }
        return UUID(self.post("/webhooks", body)["id"])

    def new_order(self, *, claimed: bool = False) -> UUID:
        body = {
            "work_type": "build",
            "yaml_content": "a: 1",
            "targeting": {"agent_ids": [self.rows.agent_id]},
        }
        order = self.post("/work-orders", body)["id"]
        if claimed:
            self.post(f"/work-orders/{order}/claim", {"agent_id": self.rows.agent_id})
        return UUID(order)

    def finished_order(self) -> UUID:
        order = self.new_order(claimed=True)
        self.post(f"/work-orders/{order}/complete", {"success": True, "message": "built"})
        return order

    def new_diagnostic(self, *, claimed: bool = False, finished: bool = False) -> UUID:
        path = f"/deployment-objects/{self.rows.object_id}/diagnostics"
        diagnostic = self.post(path, {"agent_id": self.rows.agent_id})["id"]
        if claimed or finished:
            self.post(f"/diagnostics/{diagnostic}/claim")
        if finished:
            self._posted_by("agent", f"/diagnostics/{diagnostic}/result", RESULT.to_dict())
        return UUID(diagnostic)

    def new_event(self) -> UUID:
        """A report of the agent. The webhook gets a notice, so there is one more delivery."""
        report = {
            "deployment_object_id": self.rows.object_id,
            "event_type": "DEPLOY",
            "status": "FAILURE",
            # Letters, because a message that differs only in numbers is a repeat.
            "message": random_word(),
        }
        return UUID(self.post(f"/agents/{self.rows.agent_id}/events", report)["id"])

    def taken_delivery(self) -> UUID:
        """A delivery that the agent has taken."""
        self.new_event()
        client = self.callers["agent"].get_httpx_client()
        return UUID(created(client.get(f"/agents/{self.rows.agent_id}/webhooks/pending"))[-1]["id"])

    def reported_object(self) -> UUID:
        """The deployment object, after the agent has reported its health."""
        client = self.callers["agent"].get_httpx_client()
        body = m.HealthStatusUpdate(deployment_objects=[healthy(self.deployed)]).to_dict()
        assert client.patch(f"/agents/{self.rows.agent_id}/health-status", json=body).is_success
        return self.deployed

    def _posted_by(self, caller: str, path: str, body: object) -> Any:
        return created(self.callers[caller].get_httpx_client().post(path, json=body))


@contextmanager
def running_world(broker: LiveServer, receiver: Receiver) -> Iterator[World]:
    """A world with these callers: admin, agent, owner (the generator of the rows), stranger (another generator),
    outsider (another agent), nobody (an invalid key)."""
    rows = make_rows(broker, "sdk")
    with ExitStack() as stack:
        admin = stack.enter_context(live_client(broker, broker.admin_key))
        stranger = created(admin.post("/generators", json={"name": "sdk-stranger"}))["pak"]
        outsider = created(admin.post("/agents", json={"name": "sdk-outsider", "cluster_name": "live"}))
        webhook = created(
            admin.post(
                "/webhooks",
                json={
                    "name": "sdk",
                    "url": receiver.url(),
                    "auth_header": "Bearer x",
                    "event_types": ["deployment.*"],
                    "filters": {"agent_id": rows.agent_id},
                    "target_labels": [rows.label],
                },
            )
        )
        keys = {
            "admin": broker.admin_key,
            "agent": rows.agent_key,
            "owner": rows.generator_key,
            "stranger": stranger,
            "outsider": outsider["initial_pak"],
            "nobody": "brokkr_BRnobody_nobody",
        }
        yield World(
            rows=rows,
            webhook=UUID(webhook["id"]),
            receiver=receiver,
            callers={name: stack.enter_context(generated_client(broker, key)) for name, key in keys.items()},
            admin=admin,
        )
