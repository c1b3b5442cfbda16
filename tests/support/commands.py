"""Running manage.py commands in this process as the command line would: arguments in, exit code and output out."""

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
        """The value of the `Label: value` line of the answer."""
        found = [line for line in self.out.splitlines() if line.startswith(f"{label}:")]
        assert len(found) == 1, self.out
        return found[0].removeprefix(f"{label}:").strip()


def manage(name: str, *arguments: str) -> Outcome:
    """The command's whole run, but the connection, which belongs to the test, stays open."""
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
    """Assert that nothing was answered, and that the reason on stderr contains each of the words."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in outcome.err, outcome.err


def shown_once(secret: str, outcome: Outcome, logged: str) -> None:
    """Assert that a secret went to stdout, once, and nowhere else that we can see."""
    assert outcome.code == 0, outcome
    assert len(secret) > 20
    assert outcome.out.count(secret) == 1
    assert secret not in outcome.err
    assert secret not in logged
    assert secret.rpartition("_")[2] not in str(list(AuditLog.objects.values()))


def audited(action: str, command: str) -> AuditLog:
    """The one audit row of that action, after asserting that it says which command made it."""
    row = AuditLog.objects.get(action=action)
    assert (row.actor_type, row.actor_id, row.key_id) == ("admin", None, None)
    assert row.actor_label == f"command {command}"
    assert (row.details or {}).get("via") == "cli"
    return row
