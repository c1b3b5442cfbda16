"""Two worker processes at the same rollouts, one of which is killed at random moments."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.support.server import ROOT, LiveServer, Template

pytestmark = [pytest.mark.live, pytest.mark.requires_postgres]

KILLS = 40


def test_a_worker_that_is_killed_beside_another_one_doubles_nothing_and_skips_no_wave(
    database_template: Template, tmp_path: Path
):
    with database_template.copy(tmp_path) as url:
        database = LiveServer(database_url=url, data_dir=tmp_path, admin_key=database_template.admin_key)
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.killed_rollout_workers", str(KILLS)],
            cwd=ROOT,
            env=database.environment | {"BROKKR__LOG__LEVEL": "error"},
            capture_output=True,
            check=False,
            timeout=500,
        )
    assert done.returncode == 0, done.stderr.decode()
    outcome = orjson.loads(done.stdout)
    assert outcome["faults"] == []
    assert (
        {"succeeded", "rolled_back"} <= outcome["states"].keys() <= {"succeeded", "rolled_back", "superseded"}
    )
