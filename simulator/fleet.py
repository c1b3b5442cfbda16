"""The whole fleet: it starts cells in their own processes, watches them, sometimes kills one, and adds up counts."""

import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from simulator.http import Site
from simulator.plan import CellPlan, Plan
from simulator.processes import cpu_seconds
from simulator.report import Report
from simulator.stats import Calls

_ROOT = Path(__file__).resolve().parent.parent
_KILL_EVERY_SECONDS = 20.0

Progress = Callable[[str, float], None]


class FleetFailed(Exception):
    """The fleet could not do its work, so the run has no result about the broker."""


class Fleet:
    """One run of a plan. Raises ValueError if its URL is not http or https."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        # It checks the URL now; otherwise every cell would fail.
        Site(plan.url)
        self.plan = plan
        self.report = Report(plan)
        self._progress = progress
        self._messages: queue.SimpleQueue[tuple[int, subprocess.Popen[bytes], dict[str, Any]]] = (
            queue.SimpleQueue()
        )
        self._plans: list[CellPlan] = []
        self._cells: list[subprocess.Popen[bytes]] = []
        self._random = random.Random(plan.seed)  # noqa: S311  chance, not secrecy

    def run(self) -> Report:
        """Set up, live, verify, clean up. Raises FleetFailed."""
        with tempfile.TemporaryDirectory(prefix="brokkr-fleet-") as folder:
            try:
                self._start(Path(folder))
                self._set_up()
                self._live()
                self._finish()
            finally:
                for cell in self._cells:
                    cell.kill()
                    cell.wait()
        return self.report

    def _start(self, folder: Path) -> None:
        self._plans = self.plan.cells(f"sim-{os.getpid()}-{int(time.time())}", folder)
        for number in range(len(self._plans)):
            self._cells.append(self._spawn(number))

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        cell = subprocess.Popen(
            [sys.executable, "-m", "simulator.cell"], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert cell.stdin is not None  # noqa: S101  it is a pipe
        # On stdin and not in the arguments, because every user can read those, and the plan contains the key.
        cell.stdin.write(orjson.dumps(self._plans[number]) + b"\n")
        cell.stdin.flush()
        threading.Thread(target=self._listen, args=(number, cell), daemon=True).start()
        return cell

    def _listen(self, number: int, cell: subprocess.Popen[bytes]) -> None:
        assert cell.stdout is not None  # noqa: S101  it is a pipe
        for line in cell.stdout:
            if line.endswith(b"\n"):
                self._messages.put((number, cell, orjson.loads(line)))
        self._messages.put((number, cell, {"event": "ended"}))

    def _hear(self, timeout: float, *, into: dict[str, Calls]) -> tuple[int, dict[str, Any]] | None:
        """The next message for the caller. Messages with numbers are handled here."""
        try:
            number, cell, message = self._messages.get(timeout=max(timeout, 0.01))
        except queue.Empty:
            return None
        if message["event"] == "numbers":
            self._count(message, self.report.joining if message["joining"] else into)
        elif message["event"] == "failed":
            raise FleetFailed(message["text"])
        elif message["event"] == "trouble":
            self.report.troubles[message["text"]] += 1
        elif message["event"] == "ended" and cell is self._cells[number]:
            if cell.wait() != 0:
                raise FleetFailed(
                    f"A process of the fleet ended with exit code {cell.returncode}; see above."
                )
        elif message["event"] != "ended":
            return number, message
        return None

    def _count(self, message: dict[str, Any], into: dict[str, Calls]) -> None:
        for kind, data in message["calls"].items():
            into.setdefault(kind, Calls()).add(Calls.from_data(data))
        self.report.violations += message["violations"]
        if into is self.report.calls:
            self.report.client_cpu += message["cpu"]

    def _set_up(self) -> None:
        done, ready = dict.fromkeys(range(len(self._cells)), 0), 0
        total = sum(plan.agents + plan.stacks for plan in self._plans)
        while ready < len(self._cells):
            heard = self._hear(1.0, into=self.report.around)
            if heard is None:
                continue
            number, message = heard
            if message["event"] == "ready":
                ready += 1
            elif message["event"] == "progress":
                done[number] = message["done"]
                self._progress("setting up", sum(done.values()) / total)

    def _live(self) -> None:
        for cell in self._cells:
            assert cell.stdin is not None  # noqa: S101  it is a pipe
            cell.stdin.write(b"go\n")
            cell.stdin.flush()
        self._join()
        cpu = cpu_seconds(self.plan.server_pids)
        began = time.monotonic()
        end = began + self.plan.duration
        self._plans = [replace(plan, resume=True, joining=0.0, deadline=end) for plan in self._plans]
        next_kill = self._next_kill(began)
        while (now := time.monotonic()) < end:
            self._hear(min(0.5, end - now), into=self.report.calls)
            self._progress("running", (now - began) / self.plan.duration)
            if next_kill is not None and now >= next_kill:
                self._kill_one()
                next_kill = self._next_kill(now)
        self.report.seconds = time.monotonic() - began
        if cpu is not None:
            self.report.server_cpu = (cpu_seconds(self.plan.server_pids) or 0.0) - cpu

    def _join(self) -> None:
        began = time.monotonic()
        while (now := time.monotonic()) < began + self.plan.joining:
            self._hear(min(0.5, began + self.plan.joining - now), into=self.report.joining)
            self._progress("joining", (now - began) / self.plan.joining)

    def _next_kill(self, now: float) -> float | None:
        """A moment before the end; in a short run, its middle."""
        if "kill" not in self.plan.faults:
            return None
        return now + min(_KILL_EVERY_SECONDS * (0.5 + self._random.random()), self.plan.duration / 2)

    def _kill_one(self) -> None:
        number = self._random.randrange(len(self._cells))
        self._cells[number].kill()
        self._cells[number].wait()
        self.report.kills += 1
        self._cells[number] = self._spawn(number)

    def _finish(self) -> None:
        verifying, done = 0, 0
        while done < len(self._cells):
            # Calls that were still running at the end count as calls of the run.
            into = self.report.calls if verifying < len(self._cells) else self.report.around
            heard = self._hear(1.0, into=into)
            if heard is not None:
                verifying += heard[1]["event"] == "verifying"
                done += heard[1]["event"] == "done"
                self._progress("verifying", (verifying + done) / 2 / len(self._cells))
        for kind in ("verify", "clean up"):
            if kind in self.report.calls:
                self.report.around.setdefault(kind, Calls()).add(self.report.calls.pop(kind))
