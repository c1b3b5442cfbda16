"""Several processes that live and end together."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

_LOOK_EVERY_SECONDS = 0.2


def run_together(
    commands: Mapping[str, Sequence[str]], *, folder: Path, patience_seconds: float = 8.0
) -> str | None:
    """Run the commands in `folder` until one of them ends or SIGINT, SIGTERM or SIGHUP arrives, then end them all.

    Returns the name of the command that ended by itself, or None after a signal. Commands that still run after
    `patience_seconds`, or when a second signal comes, are killed with their children.
    """
    # Not an Event: its lock is not reentrant, so a signal that arrives while this thread holds it would hang.
    signals: SimpleQueue[int] = SimpleQueue()

    def hear(number: int, _frame: FrameType | None) -> None:
        signals.put(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, hear)

    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            # A session of its own: Ctrl-C in a terminal then reaches this process alone, which ends the others
            # gently, once.
            running[name] = subprocess.Popen(command, cwd=folder, start_new_session=True)  # noqa: S603  our own commands
        while not _comes_within(_LOOK_EVERY_SECONDS, signals):
            for name, process in running.items():
                if process.poll() is not None:
                    return name
        return None
    finally:
        _end(list(running.values()), signals, patience_seconds)


def _end(
    processes: list[subprocess.Popen[bytes]], signals: SimpleQueue[int], patience_seconds: float
) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + patience_seconds
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        if _comes_within(_LOOK_EVERY_SECONDS, signals):
            break
    for process in processes:
        # Kill the whole session, because a process that died may have left children behind.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _comes_within(seconds: float, signals: SimpleQueue[int]) -> bool:
    try:
        signals.get(timeout=seconds)
    except Empty:
        return False
    return True
