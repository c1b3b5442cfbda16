"""An agent as a table: which requests it sends, in which order, and which answers it accepts.

The tables describe real agents. They contain only the fields that such an agent reads, and are as strict about types:
ids and times are parsed, and an answer with another status is a failure.
"""

import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from tests.support.live_api import MANIFEST, created, live_client
from tests.support.server import NO_TLS, SHORT_IDLE, LiveServer

SUCCESSES = range(200, 300)
_NOTHING = object()
_NAME = re.compile(r"\{(\w+)\}")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Functions that tell whether a value has the type. They raise if the value cannot be parsed.
_READERS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: type(value) is str,
    "int": lambda value: type(value) is int,
    "bool": lambda value: type(value) is bool,
    "uuid": lambda value: str(uuid.UUID(value)) == value,
    "time": lambda value: bool(_RFC_3339.fullmatch(value) and datetime.fromisoformat(value)),
}

# Fields and their types. A question mark means that the field may be null or missing.
AGENT = (
    "id:uuid created_at:time updated_at:time deleted_at:time? name:text cluster_name:text status:text"
    " last_heartbeat:time?"
)
DEPLOYMENT_OBJECT = (
    "id:uuid created_at:time updated_at:time deleted_at:time? sequence_id:int stack_id:uuid yaml_content:text"
    " yaml_checksum:text submitted_at:time is_deletion_marker:bool"
)
EVENT = (
    "id:uuid created_at:time updated_at:time deleted_at:time? agent_id:uuid deployment_object_id:uuid event_type:text"
    " status:text message:text?"
)
WORK_ORDER = (
    "id:uuid created_at:time updated_at:time work_type:text yaml_content:text status:text claimed_by:uuid?"
    " claimed_at:time? claim_timeout_seconds:int max_retries:int retry_count:int backoff_seconds:int"
    " next_retry_after:time? last_error:text? last_error_at:time?"
)
WORK_ORDER_LOG = (
    "id:uuid work_type:text created_at:time claimed_at:time? completed_at:time claimed_by:uuid? success:bool"
    " retries_attempted:int result_message:text? yaml_content:text"
)
DIAGNOSTIC = (
    "id:uuid agent_id:uuid deployment_object_id:uuid status:text requested_by:text? created_at:time claimed_at:time?"
    " completed_at:time? expires_at:time"
)
DIAGNOSTIC_RESULT = (
    "id:uuid request_id:uuid pod_statuses:text events:text log_tails:text? collected_at:time created_at:time"
)
DELIVERY = (
    "id:uuid subscription_id:uuid event_type:text payload:text url:text auth_header:text? timeout_seconds:int"
    " max_retries:int attempts:int"
)
ERROR = "code:text message:text"


@dataclass(frozen=True)
class Call:
    """One line of a table. In `request` and `sends`, names in braces stand for values that the agent already knows.

    `reads` are the fields of the answer; if it is in a list, the fields of each member of the answer. None means that
    the agent ignores the answer. `keeps` is the name under which the agent remembers the first id of the answer.
    """

    number: int
    request: str
    accepts: Collection[int]
    sends: object = _NOTHING
    reads: str | list[str] | None = None
    keeps: str = ""
    with_key: bool = True


class ScriptedAgent:
    """An agent with a key and a few known values, but not its own id. Use it as a context manager."""

    def __init__(
        self,
        broker: LiveServer,
        key: str,
        calls: Sequence[Call],
        headers: Mapping[str, str] | None = None,
        /,
        **known: str,
    ) -> None:
        self._client = httpx.Client(
            base_url=broker.url, headers=headers, timeout=60, verify=NO_TLS, limits=SHORT_IDLE
        )
        self._authorization = {"Authorization": f"Bearer {key}"}
        self._calls = {call.number: call for call in calls}
        self.known = known

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def perform_all(self) -> None:
        """Make all calls of the table, in order."""
        for number in self._calls:
            self.perform(number)

    def perform(self, number: int, *, query: str = "", **known: str) -> Any:
        """Make one call. Returns its answer, which the agent accepts, or None if the agent ignores it."""
        self.known |= known
        call = self._calls[number]
        response = self._send(call, query)
        assert response.status_code in call.accepts, f"call {number}: {response.status_code} {response.text}"
        if call.reads is None:
            return None
        answer = response.json()
        for member in _members(answer, call.reads):
            _read(member, call.reads if isinstance(call.reads, str) else call.reads[0])
        if call.keeps and answer:
            first = answer[0] if isinstance(answer, list) else answer
            self.known[call.keeps] = first["id"]
        return answer

    def offered(self, number: int, *, query: str = "") -> dict[str, Any]:
        """The objects in the target state, by stack; there is one for each stack."""
        objects = self.perform(number, query=query)
        by_stack = {obj["stack_id"]: obj for obj in objects}
        assert len(by_stack) == len(objects)
        return by_stack

    def refusal(self, number: int, **known: str) -> tuple[int, str]:
        """The status and the code of an answer that the agent treats as an error."""
        self.known |= known
        response = self._send(self._calls[number], "")
        body = response.json()
        _read(body, ERROR)
        return response.status_code, body["code"]

    def _send(self, call: Call, query: str) -> httpx.Response:
        method, path = call.request.split()
        headers = dict(self._authorization) if call.with_key else {}
        content = b""
        if call.sends is not _NOTHING:
            headers["Content-Type"] = "application/json"
            content = orjson.dumps(self._filled(call.sends))
        request = self._client.build_request(
            method, path.format_map(self.known) + query, content=content, headers=headers
        )
        if not content:
            # Agents name no length where they send nothing.
            request.headers.pop("Content-Length", None)
        return self._client.send(request)

    def _filled(self, value: Any) -> Any:
        match value:
            case str() if name := _NAME.fullmatch(value):
                return self.known[name[1]]
            case list():
                return [self._filled(member) for member in value]
            case dict():
                return {name: self._filled(member) for name, member in value.items()}
        return value


def _members(answer: Any, reads: str | list[str]) -> list[Any]:
    assert isinstance(answer, list) == isinstance(reads, list), answer
    return answer if isinstance(answer, list) else [answer]


def _read(answer: dict[str, Any], shape: str) -> None:
    """Read the answer. Fails where a strict parser would fail."""
    for field in shape.split():
        name, kind = field.removesuffix("?").split(":")
        value = answer.get(name)
        if value is None:
            assert field.endswith("?"), f"{name} is missing in {answer}"
            continue
        assert _READERS[kind](value), f"{name} is {value!r}"


@dataclass(frozen=True)
class Mission:
    """What waits for an agent, which is ACTIVE.

    It has two stacks, one by a target and one by a label, a work order, a diagnostic about the second stack's object,
    and a webhook whose deliveries about its reports it has to send.
    """

    name: str
    cluster_name: str
    agent_id: str
    agent_key: str
    generator_id: str
    targeted_id: str
    labelled_id: str
    object_id: str
    order_id: str
    diagnostic_id: str
    webhook_id: str


def sent_to(
    broker: LiveServer,
    mission: Mission,
    calls: Sequence[Call],
    headers: Mapping[str, str] | None = None,
) -> ScriptedAgent:
    """The agent of the mission, which knows what its configuration says, and sends these headers with each call."""
    return ScriptedAgent(
        broker,
        mission.agent_key,
        calls,
        headers,
        name=mission.name,
        cluster=mission.cluster_name,
        generator=mission.generator_id,
    )


def make_mission(broker: LiveServer, name: str) -> Mission:
    """Make a mission. Names of its rows begin with `name`; the agent's name contains a space, as real names do."""
    with live_client(broker, broker.admin_key) as admin:

        def post(path: str, body: object) -> Any:
            return created(admin.post(path, json=body))

        agent_name, cluster_name = f"{name} agent", "eu west"
        made = post("/agents", {"name": agent_name, "cluster_name": cluster_name})
        agent_id = made["agent"]["id"]
        created(admin.put(f"/agents/{agent_id}", json={"status": "ACTIVE"}))
        generator_id = post("/generators", {"name": name})["generator"]["id"]
        targeted, labelled = (
            post("/stacks", {"name": f"{name}-{kind}", "generator_id": generator_id})["id"]
            for kind in ("targeted", "labelled")
        )
        post(f"/agents/{agent_id}/targets", {"stack_id": targeted})
        post(f"/agents/{agent_id}/labels", {"label": name})
        post(f"/stacks/{labelled}/labels", name)
        post(f"/stacks/{targeted}/deployment-objects", {"yaml_content": MANIFEST})
        obj = post(f"/stacks/{labelled}/deployment-objects", {"yaml_content": MANIFEST})
        order = post(
            "/work-orders",
            {"work_type": "build", "yaml_content": "kind: Build", "targeting": {"labels": [name]}},
        )
        diagnostic = post(f"/deployment-objects/{obj['id']}/diagnostics", {"agent_id": agent_id})
        webhook = post(
            "/webhooks",
            {
                "name": name,
                "url": "https://hooks.example.com/brokkr",
                "auth_header": "Bearer of the hook",
                "event_types": ["deployment.*"],
                "filters": {"agent_id": agent_id},
                "target_labels": [name],
            },
        )
    return Mission(
        name=agent_name,
        cluster_name=cluster_name,
        agent_id=agent_id,
        agent_key=made["initial_pak"],
        generator_id=generator_id,
        targeted_id=targeted,
        labelled_id=labelled,
        object_id=obj["id"],
        order_id=order["id"],
        diagnostic_id=diagnostic["id"],
        webhook_id=webhook["id"],
    )
