"""Webhooks with real workers: delivered while the broker runs, and when workers are killed."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live_api import created, live_client
from tests.support.receiver import LOOPBACK_ALLOWED, OK, Receiver, after, running_receiver, setting
from tests.support.server import ROOT, LiveServer, Template
from tests.support.waits import wait_for

pytestmark = pytest.mark.live

DELIVERING = LOOPBACK_ALLOWED | {
    "BROKKR__BROKER__WEBHOOK_DELIVERY_INTERVAL_SECONDS": "1",
    "BROKKR__BROKER__WEBHOOK_DELIVERY_BATCH_SIZE": "10",
}
KILLS = 100
PATIENCE_SECONDS = 60


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def database(database_template: Template, tmp_path: Path) -> Iterator[LiveServer]:
    """A broker that is not running: its database and its environment."""
    with database_template.copy(tmp_path) as url:
        yield LiveServer(
            database_url=url,
            data_dir=tmp_path,
            admin_key=database_template.admin_key,
            environment=DELIVERING,
        )


def test_a_hundred_killed_workers_lose_no_event_and_none_dies(receiver: Receiver, database: LiveServer):
    outcome = database.said_by("tests.support.killed_workers", receiver.url(""), str(KILLS), timeout=600)
    arrived = {path: Counter(receiver.ids(path)) for path in ("/0", "/1", "/2", "/3")}
    events = set(outcome["events"])
    assert outcome["killed"] == KILLS
    assert [set(found) for found in arrived.values()] == [events] * 4
    # An attempt that was cut off is none.
    assert outcome["states"] == {"success after 1": 4 * len(events)}
    # What a worker sent and could not note any more was sent again, under the same id.
    assert sum(found.total() for found in arrived.values()) > 4 * len(events)


def test_a_change_over_the_api_arrives_and_a_hanging_receiver_does_not_keep_the_worker_from_ending(
    receiver: Receiver, database: LiveServer
):
    arrived, hanging, let_go = threading.Event(), threading.Event(), threading.Event()
    receiver.replies["/hook"] = [setting(arrived, OK)]
    receiver.replies["/hangs"] = [setting(hanging, after(let_go, OK))]
    database.start()
    with live_client(database, database.admin_key) as admin:

        def states() -> Counter[str]:
            return Counter(row["status"] for row in created(admin.get("/webhook-deliveries")))

        webhook = {"name": "w", "event_types": ["stack.created"], "auth_header": "Bearer x"}
        secret = created(admin.post("/webhooks", json=webhook | {"url": receiver.url()}))["secret"]
        generator = created(admin.post("/generators", json={"name": "g"}))["generator"]["id"]
        stack = created(admin.post("/stacks", json={"name": "s", "generator_id": generator}))
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker"],
            cwd=ROOT,
            env=database.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert arrived.wait(PATIENCE_SECONDS)
            created(admin.post("/webhooks", json=webhook | {"url": receiver.url("/hangs")}))
            created(admin.post("/stacks", json={"name": "s2", "generator_id": generator}))
            assert hanging.wait(PATIENCE_SECONDS)
            wait_for(lambda: states()["success"] == 2)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE_SECONDS) == 0
        finally:
            let_go.set()
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        at_the_end = states()
    database.stop()
    event = receiver.received[0].verify(secret)
    assert (event["event_type"], event["data"]["stack_id"]) == ("stack.created", stack["id"])
    assert receiver.received[0].headers["Authorization"] == "Bearer x"
    assert at_the_end == {"success": 2, "acquired": 1}
