"""A client of a live broker with one key, and the rows that most live tests need."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.server import NO_TLS, SHORT_IDLE, LiveServer, http_get

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  greeting: hello\n"


def live_client(broker: LiveServer, key: str | None) -> httpx.Client:
    """An HTTP client of /api/v1; use it as a context manager."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(
        base_url=f"{broker.url}/api/v1", headers=headers, timeout=60, verify=NO_TLS, limits=SHORT_IDLE
    )


def created(response: httpx.Response) -> Any:
    """The body of the answer, which must be a success."""
    assert response.is_success, response.text
    return response.json()


def metric(broker: LiveServer, name: str) -> float:
    """The sum of a metric over its labels, as far as `name` leaves them open."""
    lines = http_get(f"{broker.url}/metrics", timeout=60).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if re.match(rf"{re.escape(name)}[{{ ,]", line))


def as_admin(broker: LiveServer, method: str, path: str, body: object = None) -> Any:
    """The body of what an admin is answered, which must be a success."""
    with live_client(broker, broker.admin_key) as admin:
        return created(admin.request(method, path, json=body))


@dataclass(frozen=True)
class Rows:
    """One row of each kind.

    A generator has a template and a stack with an object that was rendered from the template. An agent has the stack,
    by a label and as a target; it has reported once and may claim a work order and a diagnostic. Everything that can
    have labels has the `label`, and an annotation with it as the key. The spare stack is no target, and the plain
    template fits any stack. A webhook has a delivery about the spare stack; requests to its URL are not allowed.
    A verification of the audit log waits.
    """

    generator_id: str
    generator_key: str
    agent_id: str
    agent_key: str
    stack_id: str
    spare_stack_id: str
    template_id: str
    plain_template_id: str
    object_id: str
    event_id: str
    work_order_id: str
    diagnostic_id: str
    webhook_id: str
    delivery_id: str
    verification_id: str
    label: str


def make_rows(broker: LiveServer, name: str) -> Rows:
    """Make rows through the API. Their names begin with `name`."""
    with live_client(broker, broker.admin_key) as admin:
        generator = created(admin.post("/generators", json={"name": name}))
        owner = generator["generator"]["id"]
        stack = created(admin.post("/stacks", json={"name": name, "generator_id": owner}))
        agent = created(admin.post("/agents", json={"name": name, "cluster_name": "live"}))
        agent_id = agent["agent"]["id"]
        webhook = created(
            admin.post(
                "/webhooks",
                json={"name": name, "url": "http://127.0.0.1/hook", "event_types": ["stack.created"]},
            )
        )
        spare = created(admin.post("/stacks", json={"name": f"{name}-spare", "generator_id": owner}))
        (delivery,) = created(admin.get(f"/webhooks/{webhook['id']}/deliveries"))
        template, plain = (
            created(
                admin.post(
                    "/templates",
                    json={
                        "name": template_name,
                        "generator_id": owner,
                        "template_content": MANIFEST,
                        "parameters_schema": "{}",
                    },
                )
            )
            for template_name in (name, f"{name}-plain")
        )
        for path in (f"/stacks/{stack['id']}", f"/agents/{agent_id}", f"/templates/{template['id']}"):
            created(admin.post(f"{path}/labels", json={"label": name}))
            created(admin.post(f"{path}/annotations", json={"key": name, "value": "v"}))
        obj = created(
            admin.post(
                f"/stacks/{stack['id']}/deployment-objects/from-template",
                json={"template_id": template["id"], "parameters": {}},
            )
        )
        created(admin.post(f"/agents/{agent_id}/targets", json={"stack_id": stack["id"]}))
        report = {"deployment_object_id": obj["id"], "event_type": "DEPLOY", "status": "SUCCESS"}
        event = created(admin.post(f"/agents/{agent_id}/events", json=report))
        order = created(
            admin.post(
                "/work-orders",
                json={"work_type": "build", "yaml_content": "a: 1", "targeting": {"agent_ids": [agent_id]}},
            )
        )
        diagnostic = created(
            admin.post(f"/deployment-objects/{obj['id']}/diagnostics", json={"agent_id": agent_id})
        )
        verification = created(admin.post("/admin/audit-verifications", json={}))
    return Rows(
        generator_id=owner,
        generator_key=generator["pak"],
        agent_id=agent_id,
        agent_key=agent["initial_pak"],
        stack_id=stack["id"],
        spare_stack_id=spare["id"],
        template_id=template["id"],
        plain_template_id=plain["id"],
        object_id=obj["id"],
        event_id=event["id"],
        work_order_id=order["id"],
        diagnostic_id=diagnostic["id"],
        webhook_id=webhook["id"],
        delivery_id=delivery["id"],
        verification_id=verification["id"],
        label=name,
    )
