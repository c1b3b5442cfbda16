"""What was acknowledged is there after the power went, and what is there is whole."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.live_api import MANIFEST, created, live_client
from tests.support.server import LiveServer, http_get

pytestmark = pytest.mark.live

WRITERS = 8
WRITES = 1000
OBJECTS_PER_STACK = 3


class Acknowledged:
    """What the server said it had written: the bodies of its answers, by id. For many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.stacks: dict[str, object] = {}
        self.objects: dict[str, dict[str, object]] = {}
        self.half_way = threading.Event()

    def __len__(self) -> int:
        with self._lock:
            return len(self.stacks) + sum(len(objects) for objects in self.objects.values())

    def note_stack(self, stack: dict[str, str]) -> None:
        with self._lock:
            self.stacks[stack["id"]] = stack
            self.objects[stack["id"]] = {}

    def note_object(self, obj: dict[str, str]) -> None:
        with self._lock:
            # Only the answer to publishing has warnings.
            self.objects[obj["stack_id"]][obj["id"]] = {
                name: value for name, value in obj.items() if name != "warnings"
            }
        if len(self) >= WRITES // 2:
            self.half_way.set()


def _writes(client: httpx.Client, writer: int, acknowledged: Acknowledged) -> Iterator[None]:
    """One write at a time, noted when the server has acknowledged it."""
    while True:
        stack = created(client.post("/stacks", json={"name": f"{writer}-{len(acknowledged)}"}))
        acknowledged.note_stack(stack)
        yield
        for number in range(OBJECTS_PER_STACK):
            text = f"{MANIFEST}# {writer} {number}\n"
            answer = client.post(f"/stacks/{stack['id']}/deployment-objects", json={"yaml_content": text})
            acknowledged.note_object(created(answer))
            yield


def _write_until_the_end(broker: LiveServer, key: str, writer: int, acknowledged: Acknowledged) -> bool:
    """Whether the server was gone before this writer had made its share of the writes."""
    with live_client(broker, key) as client:
        try:
            for _, _ in zip(range(WRITES // WRITERS), _writes(client, writer, acknowledged), strict=False):
                pass
        except httpx.TransportError:
            return True
    return False


def test_a_killed_server_has_kept_every_write_that_it_acknowledged(own_broker: LiveServer):
    with live_client(own_broker, own_broker.admin_key) as admin:
        keys = [created(admin.post("/generators", json={"name": f"g-{n}"}))["pak"] for n in range(WRITERS)]
    acknowledged = Acknowledged()
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [
            pool.submit(_write_until_the_end, own_broker, key, number, acknowledged)
            for number, key in enumerate(keys)
        ]
        assert acknowledged.half_way.wait(120)
        own_broker.kill()
        interrupted = [writer.result() for writer in writers]
    assert any(interrupted)
    assert WRITES // 2 <= len(acknowledged) < WRITES

    own_broker.start()

    with live_client(own_broker, own_broker.admin_key) as admin:
        stacks = {stack["id"]: stack for stack in created(admin.get("/stacks"))}
        objects = {
            stack_id: {obj["id"]: obj for obj in created(admin.get(f"/stacks/{stack_id}/deployment-objects"))}
            for stack_id in stacks
        }
        told = {
            action: created(admin.get("/admin/audit-logs", params={"action": action}))["total"]
            for action in ("stack.created", "deployment.created")
        }
    assert {stack_id: stacks.get(stack_id) for stack_id in acknowledged.stacks} == acknowledged.stacks
    for stack_id, wanted in acknowledged.objects.items():
        assert {obj_id: objects[stack_id].get(obj_id) for obj_id in wanted} == wanted
    # A writer has one write under way: that one may have been committed without being acknowledged, and nothing more.
    kept = len(stacks) + sum(len(found) for found in objects.values())
    assert len(acknowledged) <= kept <= len(acknowledged) + WRITERS
    # A change and its audit row are one write.
    assert told["stack.created"] == len(stacks)
    assert told["deployment.created"] == sum(len(found) for found in objects.values())


def test_a_killed_server_left_nothing_that_hinders_the_next(own_broker: LiveServer):
    own_broker.kill()
    own_broker.start()
    with live_client(own_broker, own_broker.admin_key) as admin:
        generator = created(admin.post("/generators", json={"name": "after"}))["generator"]["id"]
        created(admin.post("/stacks", json={"name": "after", "generator_id": generator}))
    metrics = http_get(f"{own_broker.url}/metrics", timeout=60)
    assert metrics.status_code == 200
    assert "brokkr_stacks_total 1.0" in metrics.text
