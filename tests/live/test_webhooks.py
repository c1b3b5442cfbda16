"""Webhooks with real workers: delivered while the broker runs, and when workers are killed."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.support.receiver import Receiver, running_receiver
from tests.support.server import ROOT, temporary_database

pytestmark = pytest.mark.live

LOOPBACK_ALLOWED = {
    "BROKKR_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
    "BROKKR_WEBHOOK_ALLOWED_PORTS": "*",
    "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY": "0" * 64,
    "BROKKR__BROKER__WEBHOOK_DELIVERY_INTERVAL_SECONDS": "1",
}
KILLS = 100


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def test_a_hundred_killed_workers_lose_no_event_and_none_dies(receiver: Receiver, tmp_path: Path):
    with temporary_database(tmp_path) as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.mortal_workers", receiver.url(""), str(KILLS)],
            cwd=ROOT,
            env=os.environ
            | LOOPBACK_ALLOWED
            | {
                "DJANGO_SETTINGS_MODULE": "brokkr_site.settings",
                "DATABASE_URL": url,
                "BROKKR_DATA_DIR": str(tmp_path),
                "BROKKR__BROKER__WEBHOOK_DELIVERY_BATCH_SIZE": "10",
                "BROKKR__LOG__LEVEL": "error",
            },
            capture_output=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr.decode()
    outcome = orjson.loads(done.stdout)
    arrived = {path: Counter(receiver.ids(path)) for path in ("/0", "/1", "/2", "/3")}
    events = set(outcome["events"])
    assert outcome["killed"] == KILLS
    assert [set(found) for found in arrived.values()] == [events] * 4
    # An attempt that was cut off is none.
    assert outcome["states"] == {"success after 1": 4 * len(events)}
    # What a worker sent and could not note any more was sent again, under the same id.
    assert sum(found.total() for found in arrived.values()) > 4 * len(events)
