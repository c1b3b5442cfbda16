"""A backup of a running broker, restored after the fleet has gone on: no agent loses an object by it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.factories import manifest
from tests.support.live_api import Rows, created, live_client, make_rows
from tests.support.postgres import PROGRAMS
from tests.support.server import LiveServer, Template

pytestmark = [pytest.mark.live]


@pytest.fixture
def stopped(
    database_template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveServer]:
    """A broker that does not run, for tests that only give commands."""
    # They must be as new as the server.
    monkeypatch.setenv("PATH", str(PROGRAMS), prepend=":")
    with database_template.stopped_broker(tmp_path, {"BROKKR_WEB_WORKERS": "1"}) as server:
        yield server


@pytest.fixture
def broker(stopped: LiveServer) -> Iterator[LiveServer]:
    """The same broker, running."""
    with stopped.running() as server:
        yield server


def polled(broker: LiveServer, rows: Rows, mode: str = "full") -> list[dict[str, Any]]:
    with live_client(broker, rows.agent_key) as agent:
        items: list[dict[str, Any]] = created(
            agent.get(f"/agents/{rows.agent_id}/target-state", params={"mode": mode})
        )
    return items


def publish(broker: LiveServer, stack_id: str, number: int) -> dict[str, Any]:
    with live_client(broker, broker.admin_key) as admin:
        path = f"/stacks/{stack_id}/deployment-objects"
        version: dict[str, Any] = created(admin.post(path, json={"yaml_content": manifest(number)}))
    return version


def test_agents_that_polled_later_versions_lose_nothing_by_a_restore(broker: LiveServer, tmp_path: Path):
    rows = make_rows(broker, "backup")
    (known,) = polled(broker, rows)
    file = tmp_path / "backup"

    broker.manage("backup", str(file))
    later = publish(broker, rows.stack_id, 2)
    with live_client(broker, broker.admin_key) as admin:
        created(admin.post(f"/agents/{rows.agent_id}/targets", json={"stack_id": rows.spare_stack_id}))
    unknown = publish(broker, rows.spare_stack_id, 3)
    assert {item["id"] for item in polled(broker, rows)} == {later["id"], unknown["id"]}
    broker.stop()
    broker.manage("restore", str(file), "--replace")
    broker.start()

    # The version of the backup, and no marker: what the broker no longer knows stays where it is.
    assert [(item["id"], item["is_deletion_marker"]) for item in polled(broker, rows)] == [
        (known["id"], False)
    ]
    assert [item for item in polled(broker, rows, "incremental") if item["is_deletion_marker"]] == []
    newest = publish(broker, rows.stack_id, 4)
    assert newest["sequence_id"] > unknown["sequence_id"]
    assert [item["id"] for item in polled(broker, rows)] == [newest["id"]]


def test_numbers_of_versions_are_never_given_again_also_if_the_backup_has_none(
    broker: LiveServer, tmp_path: Path
):
    file = tmp_path / "backup"
    broker.manage("backup", str(file))
    rows = make_rows(broker, "backup")
    (unknown,) = polled(broker, rows)
    broker.stop()
    broker.manage("restore", str(file), "--replace")
    broker.start()

    (newest,) = polled(broker, make_rows(broker, "backup"))
    assert newest["sequence_id"] > unknown["sequence_id"]


def test_rollouts_that_were_under_way_are_paused_after_a_restore(broker: LiveServer, tmp_path: Path):
    rows, file = make_rows(broker, "backup"), tmp_path / "backup"
    with live_client(broker, broker.admin_key) as admin:
        created(admin.post("/rollout-strategies", json={"name": "backup", "waves": [{"name": "rest"}]}))
        created(admin.put(f"/stacks/{rows.stack_id}/rollout-strategy", json={"strategy": "backup"}))
        publish(broker, rows.stack_id, 2)
        broker.manage("backup", str(file))
        broker.stop()
        broker.manage("restore", str(file), "--replace")
        broker.start()
    with live_client(broker, broker.admin_key) as admin:
        (rollout,) = created(admin.get(f"/rollouts?stack_id={rows.stack_id}"))
    assert (rollout["state"], rollout["cause"]) == ("paused", "restored")


def test_a_backup_is_private_and_never_written_over_another(stopped: LiveServer, tmp_path: Path):
    file = tmp_path / "backup"
    stopped.manage("backup", str(file))

    with pytest.raises(AssertionError, match="is there already"):
        stopped.manage("backup", str(file))

    assert file.stat().st_mode & 0o077 == 0


def test_a_database_that_is_not_empty_is_replaced_only_when_that_is_said(stopped: LiveServer, tmp_path: Path):
    file = tmp_path / "backup"
    stopped.manage("backup", str(file))

    with pytest.raises(AssertionError, match="--replace"):
        stopped.manage("restore", str(file))


def test_a_backup_of_a_newer_release_is_refused(stopped: LiveServer, tmp_path: Path):
    file = tmp_path / "backup"
    statement = (
        "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_later', '2030-01-01')"
    )
    if stopped.database_url.startswith("postgres"):
        with psycopg.connect(stopped.database_url) as connection:
            connection.execute(statement)
    else:
        with sqlite3.connect(stopped.database_url.removeprefix("sqlite:///")) as database:
            database.execute(statement)
    stopped.manage("backup", str(file))

    with pytest.raises(AssertionError, match="newer release"):
        stopped.manage("restore", str(file), "--replace")


def test_a_backup_of_an_older_release_is_restored_and_migrated(stopped: LiveServer, tmp_path: Path):
    file = tmp_path / "backup"
    # Later migrations make a table that refers to one of these.
    stopped.manage("migrate", "webhooks", "0001")
    stopped.manage("backup", str(file))
    stopped.manage("migrate")

    stopped.manage("restore", str(file), "--replace")

    assert "[ ]" not in stopped.manage("showmigrations")


def test_what_is_no_backup_is_refused(stopped: LiveServer, tmp_path: Path):
    file = tmp_path / "backup"
    file.write_bytes(b"nothing of the kind")

    with pytest.raises(AssertionError, match="no backup"):
        stopped.manage("restore", str(file), "--replace")
