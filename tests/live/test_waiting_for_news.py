"""A sync that waits is answered when a version is published, and holds no thread meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.live_api import MANIFEST, created, live_client

pytestmark = pytest.mark.live

# Less than the wait, so that an answer within it was caused by the change.
_PATIENCE = 25


def test_a_sync_that_waits_is_answered_when_something_changes(broker):
    with live_client(broker, broker.admin_key) as admin, ThreadPoolExecutor(20) as threads:
        made = created(admin.post("/agents", json={"name": "waits", "cluster_name": "here"}))
        agent_id, key = made["agent"]["id"], made["initial_pak"]
        created(admin.put(f"/agents/{agent_id}", json={"status": "ACTIVE"}))
        generator = created(admin.post("/generators", json={"name": "waits"}))["generator"]["id"]
        stack = created(admin.post("/stacks", json={"name": "waits", "generator_id": generator}))["id"]
        created(admin.post(f"/agents/{agent_id}/targets", json={"stack_id": stack}))
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
