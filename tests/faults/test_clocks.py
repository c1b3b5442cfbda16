"""A worker and a web process whose clocks are ten minutes ahead: leases and silence go by the database's clock."""

from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import ask
from tests.support.live_api import MANIFEST, created, live_client
from tests.support.server import LiveServer

pytestmark = pytest.mark.faults

# Python imports it at the start of a process. The product reads the machine's clock by this function.
_AHEAD = """
from datetime import timedelta
from django.utils import timezone
_now = timezone.now
timezone.now = lambda: _now() + timedelta(minutes=10)
"""


@pytest.fixture
def ahead(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose clock is ahead."""
    folder = tmp_path / "ahead"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_AHEAD)
    return {"PYTHONPATH": str(folder)}


def claim(broker: LiveServer, cluster: Cluster) -> tuple[str, str]:
    """An order that the agent has claimed for five minutes: its id and the claim's token."""
    agent_id = cluster.rows.agent_id
    order = {
        "work_type": "build",
        "yaml_content": "a: 1",
        "targeting": {"agent_ids": [agent_id]},
        "claim_timeout_seconds": 300,
    }
    with live_client(broker, cluster.admin_key) as admin:
        order_id = created(admin.post("/work-orders", json=order))["id"]
        claimed = created(admin.post(f"/work-orders/{order_id}/claim", json={"agent_id": agent_id}))
    return order_id, claimed["claim_token"]


def test_a_worker_that_is_ahead_takes_no_claim_and_announces_no_silence(
    cluster: Cluster, start: Start, ahead: dict[str, str]
):
    broker = start()
    order_id, token = claim(broker, cluster)
    ask(broker, "POST", f"/api/v1/agents/{cluster.rows.agent_id}/heartbeat", key=cluster.rows.agent_key)

    other = LiveServer(database_url=cluster.postgres.url, data_dir=broker.log.parent, environment=ahead)
    other.manage("run_worker", "--once")

    path = f"/api/v1/work-orders/{order_id}/renew"
    assert ask(broker, "POST", path, key=cluster.rows.agent_key, body={"claim_token": token}).status == 200
    with live_client(broker, cluster.admin_key) as admin:
        silences = created(admin.get("/admin/audit-logs", params={"action": "agent.silent"}))
    assert silences["total"] == 0


def test_a_claim_by_a_web_process_that_is_ahead_ends_when_others_expect_it(
    cluster: Cluster, start: Start, ahead: dict[str, str]
):
    broker = start(**ahead)
    order_id, _ = claim(broker, cluster)

    said = broker.manage("shell", "--no-imports", "--command", _LEFT.format(order_id=order_id))

    assert 0 < float(said) <= 300


# By PostgreSQL's own clock.
_LEFT = """
from django.db import connection
with connection.cursor() as cursor:
    left = "SELECT extract(epoch FROM claim_expires_at - clock_timestamp()) FROM work_orders WHERE id = %s"
    cursor.execute(left, ["{order_id}"])
    print(cursor.fetchone()[0])
"""


def test_what_a_web_process_that_is_ahead_makes_has_the_databases_time(
    cluster: Cluster, start: Start, ahead: dict[str, str]
):
    broker = start(**ahead)
    with live_client(broker, cluster.admin_key) as admin:
        stack = f"/stacks/{cluster.rows.stack_id}"
        version = created(admin.post(f"{stack}/deployment-objects", json={"yaml_content": MANIFEST}))
        generator = created(admin.post("/generators", json={"name": "ahead"}))["generator"]
    with psycopg.connect(cluster.postgres.url) as connection:
        (now,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    assert now is not None
    for made in (version, generator):
        assert datetime.fromisoformat(made["created_at"]) <= now + timedelta(seconds=5)
