"""What the broker writes is for its own user, whatever the shell's umask says."""

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.server import LiveServer

pytestmark = [pytest.mark.live, pytest.mark.no_database]


def test_files_of_commands_and_of_web_processes_are_private(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    data = folder / "brokkr"
    broker = LiveServer(
        database_url=f"sqlite:///{data / 'brokkr.sqlite3'}",
        data_dir=folder,
        environment={"BROKKR_DATA_DIR": str(data)},
    )
    before = os.umask(0)
    try:
        broker.manage("migrate")
        broker.start()
        modes = {}
        for path in [data, *data.rglob("*")]:
            # SQLite's own files go with the last connection of the moment.
            with suppress(FileNotFoundError):
                modes[path.name] = stat.S_IMODE(path.stat().st_mode)
    finally:
        os.umask(before)
        broker.kill()

    assert {"brokkr.sqlite3", "secret_key"} <= modes.keys()
    assert modes.pop("brokkr") == 0o700
    assert set(modes.values()) == {0o600}
