"""The whole fleet: cells in processes of their own, started, watched, sometimes killed, and counted."""

import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from simulator.cell import Config
from simulator.http import Site
from simulator.stats import Calls

FAULTS = ("drop", "slow", "duplicate", "skew", "kill")
_ROOT = Path(__file__).resolve().parent.parent
_KILL_EVERY_SECONDS = 20.0
_SHOWN = 20
# What agents do all day; the rest is what publishers do, and setting up.
AGENT_CALLS = ("poll", "heartbeat", "look for work", "report one", "report many")

Progress = Callable[[str, float], None]


class FleetFailed(Exception):
    """The fleet could not do its work, so it says nothing of the broker."""


@dataclass(frozen=True)
class Plan:
    """How large a fleet, for how long, and what goes wrong with it.

    With `joining` the agents begin one after another over so many seconds, before the duration, and what is called
    meanwhile is reported apart: each brings its first poll, which fetches and reports everything it serves.
    """

    url: str
    admin_key: str
    agents: int
    interval: float
    duration: float
    joining: float = 0.0
    faults: Sequence[str] = ()
    processes: int = 2
    stacks: int = 400
    matched: int = 20
    object_bytes: int = 5000
    changes_per_second: float = 2.0
    fault_share: float = 0.05
    keep: bool = False
    server_pids: Sequence[int] = ()
    seed: int = 1


@dataclass
class Report:
    """What was seen. `seconds` is how long all agents lived; calls before and after that, those of agents that were
    joining among them, are not in `calls`.
    """

    plan: Plan
    seconds: float = 0.0
    calls: dict[str, Calls] = field(default_factory=dict)
    joining: dict[str, Calls] = field(default_factory=dict)
    around: dict[str, Calls] = field(default_factory=dict)
    violations: list[dict[str, str]] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    client_cpu: float = 0.0
    server_cpu: float | None = None
    kills: int = 0

    @property
    def errors(self) -> int:
        periods = (self.joining, self.calls, self.around)
        return sum(calls.errors.total() for period in periods for calls in period.values())

    def as_data(self) -> dict[str, Any]:
        """Everything, for a machine. Without the key."""
        agents, minutes = self.plan.agents, self.seconds / 60
        traffic = [self.calls[kind] for kind in AGENT_CALLS if kind in self.calls]
        data: dict[str, Any] = {
            "agents": agents,
            "interval_seconds": self.plan.interval,
            "stacks": self.plan.stacks,
            "matched": self.plan.matched,
            "faults": list(self.plan.faults),
            "seconds": round(self.seconds, 1),
            "requests_per_second": round(sum(each.count for each in self.calls.values()) / self.seconds, 1),
            "calls": {kind: _numbers(calls, self.seconds) for kind, calls in sorted(self.calls.items())},
            "while_joining": {kind: _numbers(calls, None) for kind, calls in sorted(self.joining.items())},
            "before_and_after": {kind: _numbers(calls, None) for kind, calls in sorted(self.around.items())},
            "bytes_per_agent_and_minute": {
                "sent": round(sum(each.sent for each in traffic) / agents / minutes),
                "received": round(sum(each.received for each in traffic) / agents / minutes),
            },
            "client_cpu_ms_per_agent_and_minute": round(self.client_cpu * 1000 / agents / minutes, 3),
            "kills": self.kills,
            "errors": self.errors,
            "troubles": dict(self.troubles.most_common(_SHOWN)),
            "violation_count": len(self.violations),
            "violations": self.violations[:_SHOWN],
        }
        if self.server_cpu is not None:
            data["server_cpu_ms_per_agent_and_minute"] = round(self.server_cpu * 1000 / agents / minutes, 3)
            data["server_cores_used"] = round(self.server_cpu / self.seconds, 3)
        return data

    def as_text(self) -> str:
        """The same for people."""
        data = self.as_data()
        head = f"{data['agents']} agents, every {data['interval_seconds']:g} s, for {data['seconds']:g} s"
        lines = [
            f"{head}: {data['requests_per_second']} requests/s",
            "",
            f"{'call':<16}{'count':>9}{'per s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'errors':>8}  statuses",
        ]
        for kind, row in data["calls"].items():
            statuses = ", ".join(f"{status}: {count}" for status, count in sorted(row["statuses"].items()))
            lines.append(
                f"{kind:<16}{row['count']:>9}{row['per_second']:>9}{row['p50_ms']:>9}{row['p95_ms']:>9}"
                f"{row['p99_ms']:>9}{sum(row['errors'].values()):>8}  {statuses}"
            )
        traffic = data["bytes_per_agent_and_minute"]
        costs = [
            f"{traffic['sent']} bytes sent",
            f"{traffic['received']} received",
            f"{data['client_cpu_ms_per_agent_and_minute']} ms CPU in the simulator",
        ]
        if self.server_cpu is not None:
            costs.append(f"{data['server_cpu_ms_per_agent_and_minute']} ms CPU in the server")
        outcome = [
            f"faults: {', '.join(data['faults']) or 'none'}",
            f"processes killed and restarted: {data['kills']}",
            f"errors: {data['errors']}",
            f"violations: {data['violation_count']}",
        ]
        lines += ["", f"per agent and minute: {', '.join(costs)}", "; ".join(outcome)]
        if self.joining:
            slowest = max(row["p99_ms"] for row in data["while_joining"].values())
            lines.append(f"while agents joined, apart from that: p99 of the slowest call {slowest} ms")
        lines += [f"  trouble ({count}x): {text}" for text, count in data["troubles"].items()]
        lines += [
            f"  VIOLATION {each['rule']}: {each['detail']} (agent {each['agent_id'] or '-'})"
            for each in data["violations"]
        ]
        return "\n".join(lines)


def _numbers(calls: Calls, seconds: float | None) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "count": calls.count,
        "p50_ms": round(calls.percentile(0.50) * 1000, 1),
        "p95_ms": round(calls.percentile(0.95) * 1000, 1),
        "p99_ms": round(calls.percentile(0.99) * 1000, 1),
        "faulty_on_purpose": calls.on_purpose,
        "statuses": dict(calls.statuses),
        "errors": dict(calls.errors),
    }
    if seconds is not None:
        numbers["per_second"] = round(calls.count / seconds, 1)
    return numbers


class Fleet:
    """One run of a plan."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        # Says now what is wrong with the URL, not from every cell.
        Site(plan.url)
        self.plan = plan
        self.report = Report(plan)
        self._progress = progress
        self._messages: queue.SimpleQueue[tuple[int, subprocess.Popen[bytes], dict[str, Any]]] = (
            queue.SimpleQueue()
        )
        self._configs: list[Config] = []
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
        plan, run = self.plan, f"sim-{os.getpid()}-{int(time.time())}"
        processes = max(1, min(plan.processes, plan.agents))
        for number in range(processes):
            self._configs.append(
                Config(
                    url=plan.url,
                    admin_key=plan.admin_key,
                    name=f"{run}-{number}",
                    journal=str(folder / f"{number}.journal"),
                    agents=_share(plan.agents, processes, number),
                    stacks=max(1, _share(plan.stacks, processes, number)),
                    matched=plan.matched,
                    object_bytes=plan.object_bytes,
                    interval=plan.interval,
                    joining=plan.joining,
                    duration=plan.duration,
                    changes_per_second=max(plan.changes_per_second / processes, 0.001),
                    faults=plan.faults,
                    fault_share=plan.fault_share,
                    keep=plan.keep,
                    seed=plan.seed * 1000 + number,
                )
            )
            self._cells.append(self._spawn(number))

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        cell = subprocess.Popen(
            [sys.executable, "-m", "simulator.cell"], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert cell.stdin is not None  # noqa: S101  it is a pipe
        # On stdin, not in the arguments: those are for everybody to read, and the key is in it.
        cell.stdin.write(orjson.dumps(self._configs[number]) + b"\n")
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
        """The next message that the caller must act on; numbers are taken in here."""
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
        total = sum(config.agents + config.stacks for config in self._configs)
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
        cpu = _cpu_of(self.plan.server_pids)
        began = time.monotonic()
        end = began + self.plan.duration
        self._configs = [replace(config, resume=True, joining=0.0, deadline=end) for config in self._configs]
        next_kill = self._next_kill(began)
        while (now := time.monotonic()) < end:
            self._hear(min(0.5, end - now), into=self.report.calls)
            self._progress("running", (now - began) / self.plan.duration)
            if next_kill is not None and now >= next_kill:
                self._kill_one()
                next_kill = self._next_kill(now)
        self.report.seconds = time.monotonic() - began
        if cpu is not None:
            self.report.server_cpu = (_cpu_of(self.plan.server_pids) or 0.0) - cpu

    def _join(self) -> None:
        began = time.monotonic()
        while (now := time.monotonic()) < began + self.plan.joining:
            self._hear(min(0.5, began + self.plan.joining - now), into=self.report.joining)
            self._progress("joining", (now - began) / self.plan.joining)

    def _next_kill(self, now: float) -> float | None:
        """Some time before the end; of a short run at its middle."""
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
            # Calls that were under way at the end count as calls of the run.
            into = self.report.calls if verifying < len(self._cells) else self.report.around
            heard = self._hear(1.0, into=into)
            if heard is not None:
                verifying += heard[1]["event"] == "verifying"
                done += heard[1]["event"] == "done"
                self._progress("verifying", (verifying + done) / 2 / len(self._cells))
        for kind in ("verify", "clean up"):
            if kind in self.report.calls:
                self.report.around.setdefault(kind, Calls()).add(self.report.calls.pop(kind))


def _share(total: int, parts: int, number: int) -> int:
    return total // parts + (number < total % parts)


def _cpu_of(pids: Sequence[int]) -> float | None:
    """CPU seconds of these processes and their descendants, those that have ended included; None for no pids."""
    if not pids:
        return None
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            # It has ended since.
            continue
        pid = int(path.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    wanted = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(ticks.get(pid, 0) for pid in wanted) / os.sysconf("SC_CLK_TCK")
