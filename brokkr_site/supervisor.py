"""Several processes that live and end together."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

_LOOK_EVERY_SECONDS = 0.2
# Requests and jobs under way get this long to finish before they are cut off.
PATIENCE_SECONDS = 8.0


def run_together(commands: Mapping[str, Sequence[str]], *, folder: Path) -> str | None:
    """Run the commands in `folder` until one of them ends or SIGINT, SIGTERM or SIGHUP arrives, then end them all.

    The name of the command that ended by itself, or None when a signal asked for the end. A second signal
    ends them at once.
    """
    signals: list[int] = []
    told = threading.Event()

    def hear(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, hear)

    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            # A session of its own: Ctrl-C in a terminal then reaches this process alone, which ends the others
            # gently, once.
            running[name] = subprocess.Popen(command, cwd=folder, start_new_session=True)  # noqa: S603  our own commands
        while not told.wait(_LOOK_EVERY_SECONDS):
            for name, process in running.items():
                if process.poll() is not None:
                    return name
        return None
    finally:
        _end(list(running.values()), signals)


def _end(processes: list[subprocess.Popen[bytes]], signals: list[int]) -> None:
    """Ask all to end; kill with their children those that have not ended in time, or when a second signal comes."""
    for process in processes:
        process.terminate()
    heard = len(signals)
    looks = int(PATIENCE_SECONDS / _LOOK_EVERY_SECONDS)
    pause = threading.Event()
    while looks and len(signals) == heard and any(process.poll() is None for process in processes):
        pause.wait(_LOOK_EVERY_SECONDS)
        looks -= 1
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
