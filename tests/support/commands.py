"""Running manage.py commands in this process like the command line: with arguments, exit code and output."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

import orjson
from django.core.management import get_commands, load_command_class
from django.db import connections

from audit.models import AuditLog


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)

    def field(self, label: str) -> str:
        """The value in the line `Label: value` of the answer."""
        found = [line for line in self.out.splitlines() if line.startswith(f"{label}:")]
        assert len(found) == 1, self.out
        return found[0].removeprefix(f"{label}:").strip()


def manage(name: str, *arguments: str) -> Outcome:
    """Run the whole command. The connection stays open, because it belongs to the test."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), mock.patch.object(connections, "close_all"):
        app = get_commands()[name]
        assert isinstance(app, str)
        try:
            load_command_class(app, name).run_from_argv(["manage.py", name, *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def refused_command(outcome: Outcome, code: int, *words: str) -> None:
    """Assert that stdout is empty and that the reason on stderr contains each of the words."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in outcome.err, outcome.err


def shown_once(secret: str, outcome: Outcome, logged: str) -> None:
    """Assert that a secret was written to stdout once, and not to stderr or the log."""
    assert outcome.code == 0, outcome
    assert len(secret) > 20
    assert outcome.out.count(secret) == 1
    assert secret not in outcome.err
    assert secret not in logged
    assert secret.rpartition("_")[2] not in str(list(AuditLog.objects.values()))


def audited(action: str, command: str) -> AuditLog:
    """The only audit row of that action. Asserts that the row says which command made it."""
    row = AuditLog.objects.get(action=action)
    assert (row.actor_type, row.actor_id, row.key_id) == ("admin", None, None)
    assert row.actor_label == f"command {command}"
    assert (row.details or {}).get("via") == "cli"
    return row
