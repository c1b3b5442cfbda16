"""manage.py export_history: the past of one agent as a folder for an auditor."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from agents.services.agents import delete_agent, lock_agent
from audit.models import AuditLog
from core.events import SYSTEM
from tests.factories import make_agent, make_event, make_object, make_stack, manifest
from tests.support.changing_fleet import quiet_moment

pytestmark = pytest.mark.django_db

SECRET = """apiVersion: v1
kind: Secret
metadata: {name: payments}
stringData:
  password: correct-horse-battery
"""


def export(agent, folder: Path, *more: str) -> Path:
    call_command("export_history", "--agent", str(agent.pk), "--folder", str(folder), *more)
    return folder


def lines(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_an_auditor_gets_what_happened_the_states_their_texts_and_who_it_was(admin, tmp_path):
    agent, api = make_agent()
    stack = make_stack(labels=["a"])
    old = make_object(stack)
    admin.request("POST", f"/agents/{agent.id}/labels", "a")
    api.get(f"/agents/{agent.id}/target-state")
    new = make_object(stack, manifest(2))
    make_event(agent, new)
    folder = export(agent, tmp_path / "export")
    told = lines(folder / "timeline.jsonl")
    assert [entry["kind"] for entry in told] == ["wanted", "offered", "wanted", "applied"]
    states = [
        [version["sequence_id"] for version in line["versions"]] for line in lines(folder / "states.jsonl")
    ]
    assert states == [[], [old.pk], [new.pk], [new.pk]]
    assert (folder / "versions" / f"{new.pk}.yaml").read_text() == manifest(2)
    assert {path.name for path in (folder / "versions").iterdir()} == {f"{old.pk}.yaml", f"{new.pk}.yaml"}
    audited = {entry["action"]: entry["actor_label"] for entry in lines(folder / "audit.jsonl")}
    assert audited["agent.label_added"] == "test admin"
    summary = orjson.loads((folder / "summary.json").read_bytes())
    assert (summary["agent"]["name"], summary["secrets_masked"]) == (agent.name, True)
    assert agent.name in (folder / "README.txt").read_text()


def test_values_of_secrets_are_masked_in_every_file(tmp_path):
    agent, _ = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]), SECRET)
    make_event(agent, obj, "FAILURE", message="correct-horse-battery was refused")
    folder = export(agent, tmp_path)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 6
    assert not [path for path in files if b"correct-horse-battery" in path.read_bytes()]


def test_secrets_are_written_when_asked_for_and_the_audit_log_notes_it(tmp_path):
    agent, _ = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]), SECRET)
    export(agent, tmp_path, "--with-secrets")
    assert (tmp_path / "versions" / f"{obj.pk}.yaml").read_text() == SECRET
    assert AuditLog.objects.filter(action="deployment.revealed", resource_id=obj.id).count() == 1


def test_the_past_of_a_deleted_agent_within_a_time_is_exported(tmp_path):
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    until = quiet_moment()
    make_object(stack, manifest(2))
    with transaction.atomic():
        delete_agent(agent=lock_agent(agent.pk), actor=SYSTEM)
    export(agent, tmp_path, "--to", until.isoformat())
    assert [path.name for path in (tmp_path / "versions").iterdir()] == [f"{obj.pk}.yaml"]


def test_a_folder_with_files_is_left_alone(tmp_path):
    agent, _ = make_agent()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="is not empty"):
        export(agent, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-28T10:00:00", "2026-13-28T10:00:00Z"])
def test_what_is_no_moment_is_wrong_usage(tmp_path, moment):
    agent, _ = make_agent()
    with pytest.raises(CommandError, match="not a time with its offset"):
        export(agent, tmp_path, "--from", moment)


def test_a_time_that_is_empty_is_refused(tmp_path):
    agent, _ = make_agent()
    now = timezone.now().isoformat()
    with pytest.raises(CommandError, match="must begin"):
        export(agent, tmp_path, "--from", now, "--to", now)
