"""`run_together`, seen from outside the process that calls it, because it takes over that process's signals."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import ROOT

# A child that writes its name into a file when it is up, and another on SIGTERM unless it is deaf to it.
_CHILD = """
import os, pathlib, signal, sys, time
name, deaf = sys.argv[1], len(sys.argv) > 2
def end(*_):
    if not deaf:
        pathlib.Path(name + ".told").touch()
        sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path(name + ".tmp").write_text(str(os.getpid()))
os.rename(name + ".tmp", name)
while True:
    time.sleep(0.05)
"""
_PARENT = """
import sys
from pathlib import Path
from server.supervisor import run_together
child, patience, *deaf = sys.argv[2:]
print(run_together(
    {"one": [sys.executable, "-c", child, "one"], "two": [sys.executable, "-c", child, "two", *deaf]},
    folder=Path(sys.argv[1]),
    patience_seconds=float(patience),
))
"""


@contextmanager
def _supervised(folder: Path, *deaf: str, patience: float = 60) -> Iterator[subprocess.Popen[str]]:
    """A process that runs children `one` and `two`, when both are up."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(folder), _CHILD, str(patience), *deaf],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until(lambda: (folder / "one").exists() and (folder / "two").exists())
        yield parent
    finally:
        parent.kill()
        parent.communicate()


def _wait_until(condition) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def _pid(folder: Path, name: str) -> int:
    return int((folder / name).read_text())


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_gently(tmp_path: Path, number: signal.Signals):
    with _supervised(tmp_path) as parent:
        parent.send_signal(number)
        said, _ = parent.communicate(timeout=60)

    assert said == "None\n"
    assert (tmp_path / "one.told").exists()
    assert (tmp_path / "two.told").exists()


def test_when_one_dies_the_other_is_ended_and_the_dead_one_named(tmp_path: Path):
    with _supervised(tmp_path) as parent:
        subprocess.run(["kill", "-KILL", str(_pid(tmp_path, "one"))], check=True)
        said, _ = parent.communicate(timeout=60)

    assert said == "one\n"
    assert (tmp_path / "two.told").exists()


def test_what_does_not_end_in_time_is_killed(tmp_path: Path):
    with _supervised(tmp_path, "deaf", patience=5) as parent:
        parent.terminate()
        said, _ = parent.communicate(timeout=60)

    assert said == "None\n"
    assert (tmp_path / "one.told").exists()
    assert not _runs(_pid(tmp_path, "two"))


def test_a_second_signal_kills_at_once_what_is_left(tmp_path: Path):
    with _supervised(tmp_path, "deaf") as parent:
        parent.send_signal(signal.SIGINT)
        _wait_until((tmp_path / "one.told").exists)
        parent.send_signal(signal.SIGINT)
        said, _ = parent.communicate(timeout=60)

    assert said == "None\n"
    assert not _runs(_pid(tmp_path, "two"))
