"""manage.py export_audit, and the verifier that needs no broker, as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.models import AuditKey, AuditLog
from audit.services import erase
from core.events import SYSTEM
from tests.support.commands import manage
from tests.support.sealed_log import PERSON, make_sealed_log, seal_entries
from tests.support.server import ROOT

pytestmark = pytest.mark.django_db

Lines = list[dict[str, Any]]


@pytest.fixture
def lines() -> Lines:
    make_sealed_log(3, 2)
    erase(rows=AuditLog.objects.filter(seal=2), part="author", reason="asked to", actor=SYSTEM)
    outcome = manage("export_audit", "--since", "2026-01-01")
    assert outcome.code == 0
    assert "Exported 3 seals with 6 entries." in outcome.err
    return [json.loads(line) for line in outcome.out.splitlines() if line]


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the script, alone in a folder, with nothing of ours in its environment."""
    script = tmp_path / "verify_export.py"
    script.write_bytes((ROOT / "audit" / "verify_export.py").read_bytes())

    def run(lines: Lines | bytes, *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "export.jsonl").write_bytes(lines if isinstance(lines, bytes) else text_of(lines))
        return subprocess.run(
            [sys.executable, "-I", str(script), "export.jsonl", *arguments],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def text_of(lines: Lines) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def trust() -> tuple[str, str]:
    return "--trust", AuditKey.objects.get().public_key


def only(lines: Lines, kind: str) -> Lines:
    return [line[kind] for line in lines if kind in line]


def test_the_script_is_short_and_imports_nothing_of_ours():
    text = (ROOT / "audit" / "verify_export.py").read_text()
    assert len(text.splitlines()) < 150
    imports = {
        line.split()[1].partition(".")[0]
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imports <= {*sys.stdlib_module_names, "cryptography"}


def test_an_export_verifies_without_the_broker(lines, verify):
    done = verify(lines, *trust(), "--expect", only(lines, "seal")[-1]["hash"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 seals hold" in done.stdout
    assert "2 entries are erased" in done.stdout
    assert PERSON in str(lines)


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda lines: only(lines, "entry")[2]["content"].update(reason="x"), "Seal 2: changed"),
        (lambda lines: only(lines, "entry")[2].update(action="x"), "Seal 2: changed"),
        (lambda lines: only(lines, "seal")[1].update(entries=1), "Seal 2: changed"),
        (lambda lines: lines.remove({"entry": only(lines, "entry")[2]}), "Seal 2: missing"),
        (lambda lines: lines.insert(5, {"entry": only(lines, "entry")[0]}), "Seal 1: added"),
        (lambda lines: lines.remove({"seal": only(lines, "seal")[1]}), "Seal 1: added"),
        (lambda lines: lines.insert(1, {"entry": only(lines, "entry")[0]}), "Before the first seal: added"),
        (lambda lines: lines.pop(), "Seal 3: missing"),
        (lambda lines: lines.clear(), "There is no seal in it"),
    ],
)
def test_an_export_that_was_tampered_with_is_refused(lines, verify, tamper, words):
    key = trust()
    tamper(lines)
    done = verify(lines, *key)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr


# What stands in place of the third line.
NO_LINES = [
    b"x",
    b"[]",
    b"{}",
    b"null",
    b'"seal"',
    b'{"note": {}}',
    b'{"seal": {}, "entry": {}}',
    b'{"format": "x"}',
    b'{"key": {}}',
    b'{"key": []}',
    b'{"seal": {}}',
    b'{"seal": null}',
    b'{"seal": {"number": "1", "hash": 1, "signature": 1, "public_key": 1}}',
    b'{"entry": {}}',
    b'{"entry": 7}',
    b'{"entry": {"author": 1, "content": 1}}',
    b'{"entry": ' + b"[" * 5_000,
    b'{"entry": ' + b"9" * 5_000 + b"}",
    b"\x00" * 512,
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("text", NO_LINES, ids=lambda text: repr(text[:30]))
def test_a_line_that_exports_do_not_have_is_named(lines, verify, text):
    key = trust()
    parts = text_of(lines).splitlines()
    parts[2] = text
    done = verify(b"\n".join(parts), *key)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Line 3: changed.")
    assert len(done.stderr.splitlines()) == 1


def test_wherever_it_is_cut_off_the_last_line_or_seal_is_named(lines, verify):
    key, text = trust(), text_of(lines)
    for size in range(1, len(text) - 1, 311):
        done = verify(text[:size], *key)
        assert (done.returncode, done.stdout) == (1, "")
        last = text[:size].count(b"\n") + 1
        assert done.stderr.startswith((f"Line {last}: changed.", "Seal ", "There is no seal")), done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "There is no seal in it."),
        (b"\n\r\n", "There is no seal in it."),
        (b'{"format": {"name": "another-1"}}\n', "This is no brokkr-audit-export-1."),
        (b'{"key": {}}\n', "This is no brokkr-audit-export-1."),
        (b"\x7fELF\x02\x01\n", "Line 1: changed."),
    ],
)
def test_what_is_no_export_is_refused(verify, text, words):
    done = verify(text, "--trust", "0" * 64)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(words)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\n" + text.replace(b"\n", b"\n\n"),
        lambda text: text.rstrip(b"\n"),
    ],
    ids=["mark of UTF-8", "carriage returns", "empty lines", "no last line end"],
)
def test_what_an_editor_changes_does_no_harm(lines, verify, spelled):
    assert verify(spelled(text_of(lines)), *trust()).returncode == 0


@pytest.mark.parametrize("arguments", [["--trust"], [], ["--trust", "0" * 64, "--other"]])
def test_wrong_usage_of_the_script_has_a_code_of_its_own(verify, arguments):
    assert verify(b"", *arguments).returncode == 2


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_wrong_usage(name):
    script = ROOT / "audit" / "verify_export.py"
    done = subprocess.run(
        [sys.executable, "-I", str(script), name, "--trust", "0" * 64],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert name in done.stderr


def test_a_key_may_be_written_in_capitals(lines, verify):
    flag, key = trust()
    assert verify(lines, flag, key.upper()).returncode == 0


def test_a_seal_that_is_cut_off_shows_against_a_hash_kept_outside(lines, verify):
    newest = only(lines, "seal")[-1]["hash"]
    done = verify(lines[:-3], *trust(), "--expect", newest)
    assert done.returncode == 1
    assert newest in done.stderr


def test_a_key_that_nobody_trusts_is_refused(lines, verify):
    done = verify(lines, "--trust", "0" * 64)
    assert done.returncode == 1
    assert "is not trusted" in done.stderr


def test_a_key_that_a_trusted_one_has_signed_is_trusted(settings, verify):
    make_sealed_log(1, 1)
    old = trust()
    settings.AUDIT_SIGNING_KEYS = [b"2" * 32, *settings.AUDIT_SIGNING_KEYS]
    seal_entries(1)
    outcome = manage("export_audit", "--since", "2026-01-01")
    lines = [json.loads(line) for line in outcome.out.splitlines() if line]
    assert verify(lines, *old).returncode == 0
    lines[2]["key"]["endorsement"] = "0" * 128
    assert verify(lines, *old).returncode == 1


def test_it_begins_with_the_first_seal_since_the_time():
    make_sealed_log(2, 1)
    assert manage("export_audit", "--since", "2999-01-01").out.count("\n") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "soon"],
        ["--since", "0001-01-01T00:00:00+14:00"],
        # Its lines are JSON without it.
        ["--since", "2026-01-01", "--json"],
    ],
)
def test_wrong_usage_prints_no_line(arguments):
    outcome = manage("export_audit", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
