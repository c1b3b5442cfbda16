"""A disk that is full: the broker says so, and takes changes again when there is room."""

import os
import subprocess
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path

import pytest

from tests.support.clocked import ask
from tests.support.server import LiveServer
from tests.support.waits import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(ballast: Path) -> None:
    """Write into the file until there is no room. The broker writes at the same time, so nobody knows how much fits."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != ENOSPC:
                raise


def test_a_full_disk_is_said_to_be_full_and_used_again_when_there_is_room(disk: Path, tmp_path: Path):
    broker = LiveServer(database_url=f"sqlite:///{disk / 'brokkr.sqlite3'}", data_dir=tmp_path)
    broker.prepare()
    with broker.running():
        ballast = disk / "ballast"
        fill_up(ballast)
        answers = [
            ask(broker, "POST", "/api/v1/generators", key=broker.admin_key, body={"name": f"g{number}"})
            for number in range(200)
        ]
        ready = {ask(broker, "GET", "/readyz").body for _ in range(20)}
        listed = ask(broker, "GET", "/api/v1/generators", key=broker.admin_key)
        ballast.unlink()
        made = ask(broker, "POST", "/api/v1/generators", key=broker.admin_key, body={"name": "later"})
        wait_for(lambda: {ask(broker, "GET", "/readyz").status for _ in range(10)} == {200}, patience=120)

    refused = [answer for answer in answers if answer.status != 201]
    assert {(answer.status, answer.code) for answer in refused} == {(503, "storage_full")}
    assert b"database full" in ready
    # SQLite needs room for a connection's first look, too.
    assert listed.status in {200, 503}
    assert made.status == 201
