"""A signal ends `run_worker` in good order."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings

from tests.support.server import AUDIT_KEY, Template

pytestmark = [pytest.mark.live, pytest.mark.any_database("how a worker process ends")]

# Only a bound for a worker that hangs; it ends in a fraction of this.
PATIENCE = 60


@contextmanager
def running_worker(template: Template, folder: Path) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A worker process on a database of its own, and the lines it logs, the first of them read already."""
    with template.copy(folder) as url:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker"],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {
                "DATABASE_URL": url,
                "BROKKR_DATA_DIR": str(folder),
                "BROKKR_AUDIT_SIGNING_KEY": AUDIT_KEY,
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        yield from _watched(worker)


def _watched(worker: "subprocess.Popen[str]") -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    assert worker.stderr
    lines: list[str] = [worker.stderr.readline()]
    reader = Thread(target=lines.extend, args=[worker.stderr])
    reader.start()
    try:
        yield worker, lines
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.wait(PATIENCE)
        reader.join(PATIENCE)
        worker.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_running_worker_in_good_order(database_template, tmp_path, number):
    with running_worker(database_template, tmp_path) as (worker, lines):
        assert "worker started" in lines[0]
        worker.send_signal(number)
        assert worker.wait(PATIENCE) == 0
    assert "worker stopped" in lines[-1]
    assert not any("Traceback" in line or "failed" in line for line in lines)


def test_two_signals_at_once_end_the_worker_too(database_template, tmp_path):
    with running_worker(database_template, tmp_path) as (worker, lines):
        worker.send_signal(signal.SIGSTOP)
        for number in (signal.SIGTERM, signal.SIGINT):
            worker.send_signal(number)
        worker.send_signal(signal.SIGCONT)
        assert worker.wait(PATIENCE) == 0
    assert "worker stopped" in lines[-1]
