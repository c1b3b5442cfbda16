"""A sync that waits is answered when a version is published, and holds no thread meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.live_api import MANIFEST, created, live_client
from tests.support.raw_http import Wire, chunked

pytestmark = pytest.mark.live

# Less than the wait, so that an answer within it was caused by the change.
_PATIENCE = 25


def test_a_sync_that_waits_is_answered_when_something_changes(broker):
    with live_client(broker, broker.admin_key) as admin, ThreadPoolExecutor(20) as threads:
        agent_id, key, stack = prepared(admin, "waits")
        with live_client(broker, key) as agent:
            first = created(agent.post(f"/agents/{agent_id}/sync", json={}))

            def wait() -> Any:
                with live_client(broker, key) as waiting:
                    path = f"/agents/{agent_id}/sync?wait_seconds=30&seen={first['seen']}"
                    return created(waiting.post(path, json={"tag": first["tag"]}))["state"]

            # More than there are threads in the web processes.
            answers = [threads.submit(wait) for _ in range(20)]
            created(admin.post(f"/stacks/{stack}/deployment-objects", json={"yaml_content": MANIFEST}))
            states = [answer.result(_PATIENCE) for answer in answers]
    assert all(len(state["versions"]) == 1 for state in states)


def test_a_sync_that_was_sent_behind_another_waits_too(broker):
    with live_client(broker, broker.admin_key) as admin:
        agent_id, key, stack = prepared(admin, "waits behind another")
        with Wire(broker, key) as agent:
            path = f"/agents/{agent_id}/sync"
            seen = agent.exchange("POST", path).json()["seen"]
            agent.send(
                agent.head("POST", path) + agent.head("POST", f"{path}?wait_seconds={_PATIENCE}&seen={seen}")
            )
            assert agent.answer("POST").json()["state"]["versions"] == []
            created(admin.post(f"/stacks/{stack}/deployment-objects", json={"yaml_content": MANIFEST}))
            assert len(agent.answer("POST").json()["state"]["versions"]) == 1


def test_a_sync_whose_body_a_thread_must_read_does_not_wait(broker):
    with live_client(broker, broker.admin_key) as admin, ThreadPoolExecutor(1) as threads:
        agent_id, key, _ = prepared(admin, "waits with chunks")
        with Wire(broker, key) as agent:
            path = f"/agents/{agent_id}/sync"
            seen = agent.exchange("POST", path).json()["seen"]
            parts = {"Content_Type": "application/json", "Transfer_Encoding": "chunked"}
            head = agent.head("POST", f"{path}?wait_seconds=30&seen={seen}", **parts)
            agent.send(head + chunked(b"{}"))
            assert threads.submit(agent.answer, "POST").result(_PATIENCE).status == 200


def prepared(admin: Any, name: str) -> tuple[str, str, str]:
    """The id and the key of an active agent, and a stack without versions that it serves."""
    made = created(admin.post("/agents", json={"name": name, "cluster_name": "here"}))
    agent_id = made["agent"]["id"]
    created(admin.put(f"/agents/{agent_id}", json={"status": "ACTIVE"}))
    generator = created(admin.post("/generators", json={"name": name}))["generator"]["id"]
    stack = created(admin.post("/stacks", json={"name": name, "generator_id": generator}))["id"]
    created(admin.post(f"/agents/{agent_id}/targets", json={"stack_id": stack}))
    return agent_id, made["initial_pak"], stack
