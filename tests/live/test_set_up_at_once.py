"""Several replicas migrate and set up one empty database at the same time: one does it, the others wait and go on."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.support.server import ROOT, LiveServer, temporary_database

pytestmark = [pytest.mark.live]

REPLICAS = 3


def run_everywhere(server: LiveServer, *command: str) -> list[str]:
    """What each of the processes printed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=server.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(REPLICAS)
    ]
    ended = [(process, *process.communicate(timeout=900)) for process in processes]
    for process, _, complaint in ended:
        assert process.returncode == 0, complaint
    return [said for _, said, _ in ended]


def test_one_replica_sets_the_database_up_and_the_others_wait(tmp_path: Path):
    with temporary_database(tmp_path) as url:
        server = LiveServer(database_url=url, data_dir=tmp_path)

        migrated = run_everywhere(server, "migrate")
        set_up = run_everywhere(server, "bootstrap", "--json", "--with-site-user")

    assert sum("core.0001_initial... OK" in said for said in migrated) == 1
    answers = [orjson.loads(said) for said in set_up]
    assert sum(answer["admin_pak"] is not None for answer in answers) == 1
    assert sum(answer["site_user"] is not None for answer in answers) == 1
