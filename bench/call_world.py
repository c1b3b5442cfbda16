"""What `bench.calls` asks: rows in every list, made through the API of the revision that is asked, and the requests."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bench import data
from bench.load import request
from tests.support.server import NO_TLS

AGENTS = 500
STACKS = 2000
OBJECT_BYTES = 5000
BATCH = 20
# How many rows the lists have that no agent and no stack of the fleet fills.
ROWS = 100
# Agents that report, on all of their objects: 2,000 rows in the lists of events and of health.
REPORTING = 100
_PUBLICATIONS = 200
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_LOOKED_AT = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Call:
    """One kind of call, as the bytes of requests that are sent in turn, and the status that answers all of them.

    `turns` is how often all of them are sent before they are measured, each on a connection of its own, so that every
    process has most likely had all of them.
    """

    name: str
    requests: Sequence[str]
    status: str = "200"
    turns: int = 0


class World:
    """The fleet of `bench.data` in a running broker, with more rows."""

    def __init__(self, url: str, admin_key: str) -> None:
        self._admin_key = admin_key
        self._url = url
        with self._client(admin_key) as admin:
            self._seed(admin)

    def calls(self) -> list[Call]:
        """All of them; whoever sends the last ones does not disturb the first ones."""
        numbers = range(AGENTS)
        published = [{"yaml_content": _manifest(number)} for number in range(_PUBLICATIONS)]
        return [
            Call(
                "target state, full body",
                # Not those that have reported: their target state is empty.
                [self._of_agent(n, "GET", "target-state") for n in numbers[REPORTING:]],
                turns=8,
            ),
            Call(
                "target state, 304",
                [
                    self._of_agent(n, "GET", "target-state", headers=[f"If-None-Match: {self._etags[n]}"])
                    for n in numbers
                ],
                "304",
            ),
            Call(
                "heartbeat",
                [
                    self._of_agent(n, "POST", "heartbeat", {"k8s_reachable": True, "k8s_api_latency_ms": 12})
                    for n in numbers
                ],
                "204",
            ),
            Call("look for work, none", [self._of_agent(n, "GET", "work-orders/pending") for n in numbers]),
            Call("look for webhooks, none", [self._of_agent(n, "GET", "webhooks/pending") for n in numbers]),
            Call(
                "look for diagnostics, none",
                [self._of_agent(n, "GET", "diagnostics/pending") for n in numbers],
            ),
            Call("get a stack", [self._get(f"/stacks/{stack}") for stack in self._stacks[:500]]),
            Call(
                "publish 5 KB",
                [
                    self._of_admin("POST", f"/stacks/{self._spare[n % ROWS]}/deployment-objects", body)
                    for n, body in enumerate(published)
                ],
                "201",
            ),
            Call(
                "report one event",
                [
                    self._of_agent(n, "POST", "events", _report(objects[0]))
                    for n, objects in enumerate(self._objects)
                    if objects
                ],
                "201",
            ),
            *(Call(f"list {_ID.sub('{id}', path)}", [self._get(path)]) for path in self._lists),
        ]

    def batch(self) -> dict[str, object]:
        """A batch of reports, as `bench.in_process` takes it."""
        return {
            "path": f"/api/v1/agents/{data.agent_id(0)}/events/batch",
            "key": data.agent_key(0),
            "body": json.dumps({"events": [_report(obj) for obj in self._objects[0]]}),
        }

    def _client(self, key: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=f"{self._url}/api/v1", headers=headers, timeout=60, verify=NO_TLS)

    def _of_agent(
        self, number: int, method: str, path: str, body: object = None, headers: Sequence[str] = ()
    ) -> str:
        whole = f"/api/v1/agents/{data.agent_id(number)}/{path}"
        return request(method, whole, key=data.agent_key(number), headers=headers, body=_json(body))

    def _of_admin(self, method: str, path: str, body: object = None) -> str:
        return request(method, f"/api/v1{path}", key=self._admin_key, body=_json(body))

    def _get(self, path: str) -> str:
        return self._of_admin("GET", path)

    def _seed(self, admin: httpx.Client) -> None:
        def post(path: str, body: object = None) -> Any:
            answer = admin.post(path, json=body)
            assert answer.is_success, (path, answer.text)
            return answer.json() if answer.content else None

        self._stacks = [row["id"] for row in admin.get("/stacks").json()]
        with self._client() as agents:
            self._poll(agents)
        webhook = post(
            "/webhooks", {"name": "bench-0", "url": "http://127.0.0.1/hook", "event_types": ["stack.created"]}
        )["id"]
        generator = post("/generators", {"name": "bench-0"})["generator"]["id"]
        # Nobody's targets, so that publishing changes nobody's target state. Each of them makes a delivery.
        self._spare = [
            post("/stacks", {"name": f"spare-{n}", "generator_id": generator})["id"] for n in range(ROWS)
        ]
        assert admin.put(f"/webhooks/{webhook}", json={"enabled": False}).is_success
        for n in range(1, ROWS):
            post("/generators", {"name": f"bench-{n}"})
            event_types = ["agent.created"]
            post(
                "/webhooks",
                {"name": f"bench-{n}", "url": "http://127.0.0.1/hook", "event_types": event_types},
            )
        template = ""
        for n in range(ROWS):
            body = {"name": f"bench-{n}", "template_content": _manifest(n, 500), "parameters_schema": "{}"}
            template = post("/templates", body)["id"]
        claimer, stack, agent = data.agent_id(AGENTS - 1), self._stacks[0], data.agent_id(0)
        for n in range(2 * ROWS):
            order = {"work_type": "build", "yaml_content": "kind: Build", "targeting": {"labels": ["nobody"]}}
            if n >= ROWS:
                order["targeting"] = {"agent_ids": [claimer]}
            identifier = post("/work-orders", order)["id"]
            if n >= ROWS:
                post(f"/work-orders/{identifier}/claim", {"agent_id": claimer})
                post(f"/work-orders/{identifier}/complete", {"success": True, "message": "built"})
        for n in range(20):
            post(f"/templates/{template}/labels", {"label": f"bench-{n}"})
            post(f"/templates/{template}/annotations", {"key": f"bench-{n}", "value": "v"})
        for number in range(REPORTING):
            objects = self._objects[number]
            of_agent = f"/agents/{data.agent_id(number)}"
            post(f"{of_agent}/events/batch", {"events": [_report(obj) for obj in objects]})
            healthy = [{"id": obj, "status": "healthy", "checked_at": _LOOKED_AT} for obj in objects]
            answer = admin.patch(f"{of_agent}/health-status", json={"deployment_objects": healthy})
            assert answer.is_success, answer.text
            post(f"/generators/{generator}/register", {"agent_id": data.agent_id(number)})
        of_agent, of_stack, of_template = f"/agents/{agent}", f"/stacks/{stack}", f"/templates/{template}"
        self._lists = [
            "/stacks",
            "/agents",
            "/stacks?limit=100",
            "/agents?limit=100",
            "/agent-events",
            "/agent-events?limit=100",
            "/fleet",
            "/fleet?limit=100",
            "/generators",
            "/paks",
            "/templates",
            "/webhooks",
            "/webhooks/event-types",
            "/webhook-deliveries",
            "/work-orders",
            "/work-order-log",
            "/admin/audit-logs",
            *(f"{of_agent}/{name}" for name in ("stacks", "targets", "labels", "annotations", "events")),
            f"{of_agent}/registrations",
            f"{of_agent}/fleet-status",
            *(f"{of_stack}/{name}" for name in ("deployment-objects", "labels", "annotations", "health")),
            *(f"{of_template}/{name}" for name in ("labels", "annotations")),
            f"/webhooks/{webhook}/deliveries",
            f"/generators/{generator}/registered-agents",
            f"/deployment-objects/{self._objects[0][0]}/health",
        ]

    def _poll(self, agents: httpx.Client) -> None:
        self._etags, self._objects = [], []
        for number in range(AGENTS):
            with_key = {"Authorization": f"Bearer {data.agent_key(number)}"}
            answer = agents.get(f"/agents/{data.agent_id(number)}/target-state", headers=with_key)
            assert answer.status_code == 200, answer.text
            self._etags.append(answer.headers["ETag"])
            self._objects.append([row["id"] for row in answer.json()])
            assert len(self._objects[-1]) == data.MATCHED


def _json(body: object) -> str:
    return "" if body is None else json.dumps(body)


def _report(deployment_object: str) -> dict[str, str]:
    return {"deployment_object_id": deployment_object, "event_type": "DEPLOY", "status": "SUCCESS"}


def _manifest(number: int, size: int = OBJECT_BYTES) -> str:
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bench-{number}\ndata:\n"
    # Text for agents and kubectl alike; numbers with leading zeros would be warned of, each of them.
    lines = (f"  key-{n}: value-{number * 7919 + n * 104729:034d}\n" for n in range(size // 50))
    return head + "".join(lines)
