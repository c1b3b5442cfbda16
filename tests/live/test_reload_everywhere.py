"""A reload by the API reaches every process of the machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live_api import created, live_client
from tests.support.server import LiveServer, Template, http_get
from tests.support.waits import wait_for

pytestmark = [pytest.mark.live, pytest.mark.any_database("settings in a file")]

ORIGIN = "https://ui.example"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "brokkr.toml"
    path.write_text("", encoding="utf-8")
    return path


@pytest.fixture
def server(database_template: Template, tmp_path: Path, config: Path) -> Iterator[LiveServer]:
    environment = {"BROKKR_CONFIG_FILE": str(config), "BROKKR_CONFIG_WATCHER_ENABLED": "false"}
    with database_template.broker(tmp_path, environment) as server:
        yield server


def _allowed(server: LiveServer) -> bool:
    # On a new connection each time, which any of the processes may take.
    answer = http_get(f"{server.url}/healthz", headers={"Origin": ORIGIN})
    return bool(answer.headers.get("Access-Control-Allow-Origin") == ORIGIN)


def test_all_web_processes_follow_a_reload(server: LiveServer, config: Path):
    assert not _allowed(server)
    config.write_text(f'[cors]\nallowed_origins = ["{ORIGIN}"]\n', encoding="utf-8")
    with live_client(server, server.admin_key) as admin:
        [change] = created(admin.post("/admin/config/reload"))["changes"]
    assert change["key"] == "cors.allowed_origins"
    wait_for(lambda: all(_allowed(server) for _ in range(20)))
