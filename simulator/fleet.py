"""The whole fleet: it starts cells in their own processes, watches them, sometimes kills one, and adds up counts."""

import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from simulator.http import Site
from simulator.journal import Journal
from simulator.plan import CellPlan, DirectorPlan, Plan
from simulator.processes import cpu_seconds
from simulator.report import Report, summary_of
from simulator.rollout_history import story_from
from simulator.rollout_rules import RolloutRun, check_rollouts
from simulator.stats import Calls
from simulator.strategies import strategies

_ROOT = Path(__file__).resolve().parent.parent
# The number of the director, among those of the cells.
_DIRECTOR = -1

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
        self._director: subprocess.Popen[bytes] | None = None
        # By the event.
        self._said_by_director: dict[str, dict[str, Any]] = {}
        # By the number of the cell.
        self._kills: dict[int, list[float]] = defaultdict(list)
        # When the last agent had joined.
        self._all_there = 0.0
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
                for process in [*self._cells, *([self._director] if self._director else [])]:
                    process.kill()
                    process.wait()
        return self.report

    def _start(self, folder: Path) -> None:
        name = f"sim-{os.getpid()}-{int(time.time())}"
        self._plans = self.plan.cells(name, folder)
        if self.plan.rollouts:
            self._start_director(self.plan.director(name))
        for number in range(len(self._plans)):
            self._cells.append(self._spawn(number))

    def _start_director(self, plan: DirectorPlan) -> None:
        """Its stacks are there before any agent is."""
        self._director = self._run("simulator.director", plan, _DIRECTOR)
        made = self._wait_for_director("ready", into=self.report.around)
        self._plans = [
            replace(
                each,
                rollout_stacks=made["stacks"],
                rollout_generator=made["generator"],
                rollout_label=plan.label,
            )
            for each in self._plans
        ]

    def _wait_for_director(self, event: str, *, into: dict[str, Calls]) -> dict[str, Any]:
        while event not in self._said_by_director:
            self._hear(1.0, into=into)
        return self._said_by_director[event]

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        return self._run("simulator.cell", self._plans[number], number)

    def _run(self, module: str, plan: CellPlan | DirectorPlan, number: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603  a module of our own
            [sys.executable, "-m", module], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        # On stdin, not in the arguments: those are for everybody to read, and the key is in it.
        _write(process, orjson.dumps(plan))
        threading.Thread(target=self._listen, args=(number, process), daemon=True).start()
        return process

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
        elif message["event"] == "ended" and (number == _DIRECTOR or cell is self._cells[number]):
            if cell.wait() != 0:
                raise FleetFailed(
                    f"A process of the fleet ended with exit code {cell.returncode}; see above."
                )
        elif number == _DIRECTOR:
            self._said_by_director[message["event"]] = message
        elif message["event"] != "ended":
            return number, message
        return None

    def _count(self, message: dict[str, Any], into: dict[str, Calls]) -> None:
        calls = {kind: Calls.from_data(data) for kind, data in message["calls"].items()}
        self.report.violations += message["violations"]
        if into is self.report.calls:
            self.report.client_cpu += message["cpu"]
            self.report.count(calls, after=time.monotonic() - self._all_there)
            return
        for kind, each in calls.items():
            into.setdefault(kind, Calls()).add(each)

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
        for process in [*self._cells, *([self._director] if self._director else [])]:
            _write(process, b"go")
        self._join()
        cpu = cpu_seconds(self.plan.server_pids)
        began = self._all_there = time.monotonic()
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
        return now + min(self.plan.kill_every * (0.5 + self._random.random()), self.plan.duration / 2)

    def _kill_one(self) -> None:
        number = self._random.randrange(len(self._cells))
        self._cells[number].kill()
        self._cells[number].wait()
        self.report.kills += 1
        self._kills[number].append(time.monotonic())
        self._cells[number] = self._spawn(number)

    def _finish(self) -> None:
        history = None
        if self._director is not None:
            # Agents live until the rollouts have ended.
            history = self._wait_for_director("history", into=self.report.around)
            for process in self._cells:
                _write(process, b"end")
        verifying, done = 0, 0
        while done < len(self._cells):
            # Calls that were still running at the end count as calls of the run.
            is_running = verifying < len(self._cells) and history is None
            into = self.report.calls if is_running else self.report.around
            heard = self._hear(1.0, into=into)
            if heard is not None:
                verifying += heard[1]["event"] == "verifying"
                done += heard[1]["event"] == "done"
                self._progress("verifying", (verifying + done) / 2 / len(self._cells))
        for kind in ("verify", "clean up"):
            if kind in self.report.calls:
                self.report.around.setdefault(kind, Calls()).add(self.report.calls.pop(kind))
        if self._director is not None and history is not None:
            self._judge_rollouts(history)
            _write(self._director, b"clean up")
            self._wait_for_director("done", into=self.report.around)

    def _judge_rollouts(self, history: dict[str, Any]) -> None:
        agents = []
        for number, plan in enumerate(self._plans):
            with closing(Journal(Path(plan.journal))) as journal:
                journal.read()
                for agent in journal.truth.agents:
                    agent.kills = self._kills[number]
                agents += journal.truth.agents
        listed = strategies(soak=self.plan.soak, deadline=self.plan.wave_deadline)
        run = RolloutRun(
            strategies={each.name: each for each in listed},
            stories=[story_from(data) for data in history["stories"]],
            agents=agents,
            interval=self.plan.interval,
            soak=self.plan.soak,
        )
        self.report.violations += [asdict(violation) for violation in check_rollouts(run)]
        self.report.rollouts = summary_of(run)


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  it is a pipe
    process.stdin.write(line + b"\n")
    process.stdin.flush()
