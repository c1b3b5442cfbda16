"""Two worker processes at the same rollouts, one of which is killed at random moments."""

from pathlib import Path

import pytest

from tests.support.server import LiveServer, Template

pytestmark = [pytest.mark.live, pytest.mark.requires_postgres]

KILLS = 40


def test_a_worker_that_is_killed_beside_another_one_doubles_nothing_and_skips_no_wave(
    database_template: Template, tmp_path: Path
):
    with database_template.copy(tmp_path) as url:
        database = LiveServer(database_url=url, data_dir=tmp_path, admin_key=database_template.admin_key)
        outcome = database.said_by("tests.support.killed_rollout_workers", str(KILLS), timeout=500)
    assert outcome["faults"] == []
    assert (
        {"succeeded", "rolled_back"} <= outcome["states"].keys() <= {"succeeded", "rolled_back", "superseded"}
    )
