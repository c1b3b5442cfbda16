"""What every kind of call costs in this tree and in another revision, in turn in one run: `make bench-calls`.

Both run gunicorn on a database of their own with the same fleet: 500 agents with 20 stacks each, 2,000 stacks, objects
of 5 KB. Short windows of load follow each other, so that what else the machine does disturbs both alike. CPU time is
that of gunicorn's and of PostgreSQL's processes. A ratio is taken within its round; the median of the rounds counts. A
batch of reports is asked in process, and counts Python alone. Statements include neither BEGIN nor COMMIT.

Full bodies are measured as an agent without a tag asks for them poll after poll: each process has answered each agent
before. What the first answer after a change costs besides, which notes the offers, is not in these figures.
"""

import argparse
import json
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench import environment
from bench.call_world import AGENTS, BATCH, OBJECT_BYTES, STACKS, Call, World
from bench.load import Seen, generate
from tests.support.postgres import private_postgres
from tests.support.revision import checkout
from tests.support.server import ROOT

# Run by `manage.py shell` of each revision.
_FILL = f"""
from django.core.management import call_command
from bench import data
from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak

call_command("migrate", verbosity=0)
data.fill(stacks={STACKS}, versions=1, object_bytes={OBJECT_BYTES}, agents={AGENTS})
print(issue_pak(role=Role.ADMIN, subject_id=None, name="bench", actor=SYSTEM)[1])
"""
_CONNECTIONS = 4
_WARM_UP_SECONDS = 0.5
# More would be refused as an overload where other work slows the machine down.
_AT_ONCE = 20
# Short windows in turn, because a busy machine is faster in one second than in the next.
_WINDOWS = 5
_STATEMENT = re.compile(r"LOG: +(?:statement|execute [^:]*): (?!BEGIN|COMMIT|SELECT 1$)", re.MULTILINE)
_BATCHES = 30
_BATCH = f"batch of {BATCH} reports, Python alone"


@dataclass(frozen=True, slots=True)
class Window:
    """CPU time of one window in ns, and its latencies in ms."""

    broker: int
    database: int
    latencies: list[float]


@dataclass
class Cost:
    """Of one kind of call in one revision: CPU µs a call by round, percentiles in ms by round, statements a call."""

    broker: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    statements: float = 0.0

    def add(self, windows: list[Window]) -> None:
        """A round."""
        latencies = sorted(each for window in windows for each in window.latencies)
        count = len(latencies)
        self.broker.append(sum(window.broker for window in windows) / count / 1000)
        self.database.append(sum(window.database for window in windows) / count / 1000)
        self.p50.append(latencies[count // 2])
        self.p99.append(latencies[int(count * 0.99)])

    @property
    def both(self) -> list[float]:
        return [sum(pair) for pair in zip(self.broker, self.database, strict=True)]


class Revision:
    """One revision's server, its calls, and what they cost."""

    def __init__(self, tree: Path, folder: Path, database_url: str, worker: str) -> None:
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "brokkr_site.settings",
            "DATABASE_URL": database_url,
            "BROKKR_DATA_DIR": str(folder),
            "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY": "0" * 64,
            "BROKKR_AUDIT_SIGNING_KEY": "1" * 64,
            "PYTHONPATH": str(tree),
        }
        self._tree = tree
        filled = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "--command", _FILL],
            cwd=tree,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        self._admin_key = filled.stdout.strip()
        self.server = environment.Server(folder, worker=worker, environment=self.environment, code=tree)
        self.calls: list[Call] = []
        self.batch: dict[str, object] = {}
        self.costs: dict[str, Cost] = {}

    def make_world(self) -> None:
        """Once the server runs."""
        world = World(f"http://127.0.0.1:{self.server.port}", self._admin_key)
        self.calls, self.batch = world.calls(), world.batch()
        self.costs = {call.name: Cost() for call in self.calls} | {_BATCH: Cost()}

    def load(self, call: Call, *, seconds: float, connections: int = _CONNECTIONS) -> Seen:
        """Send the call again and again for a while, or once on each connection."""
        seen = generate(
            self.server.port, call.requests, connections=connections, seconds=seconds, keep_alive=True
        )
        if set(seen.statuses) != {call.status}:
            raise RuntimeError(f"{call.name}: {dict(seen.statuses)}")
        return seen

    def meet(self, call: Call) -> None:
        """Send all requests of the call in its turns, a few at once and each on a connection of its own."""
        for first in [*range(0, len(call.requests), _AT_ONCE)] * call.turns:
            few = replace(call, requests=call.requests[first : first + _AT_ONCE])
            self.load(few, seconds=0, connections=len(few.requests))

    def window(self, call: Call, seconds: float, postmaster: int) -> Window:
        """One window of load."""
        before = environment.cpu_ns(self.server.process.pid), environment.cpu_ns(postmaster)
        seen = self.load(call, seconds=seconds)
        after = environment.cpu_ns(self.server.process.pid), environment.cpu_ns(postmaster)
        return Window(after[0] - before[0], after[1] - before[1], seen.latencies)

    @contextmanager
    def in_process(self) -> Iterator[subprocess.Popen[str]]:
        """A process that asks the revision without a server; see `bench.in_process`."""
        # Paths of modules: the revision's, and not this script's folder.
        command = [sys.executable, "-P", str(Path(__file__).with_name("in_process.py"))]
        with subprocess.Popen(
            command,
            cwd=self._tree,
            env=os.environ | self.environment | {"BROKKR__LOG__LEVEL": "error"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                assert process.stdin
                process.stdin.close()

    def measure_batch(self, process: subprocess.Popen[str]) -> None:
        """A few batches in that process."""
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(self.batch | {"times": _BATCHES}) + "\n")
        process.stdin.flush()
        self.costs[_BATCH].broker.append(float(process.stdout.readline()))
        self.costs[_BATCH].database.append(0.0)


def count_statements(revision: Revision, database: psycopg.Connection, log: Path) -> None:
    """By PostgreSQL's own log, which sees what no wrapper in Python does."""
    database.execute("ALTER SYSTEM SET log_statement = 'all'")
    database.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)
    try:
        for call in revision.calls:
            times, before = 4, log.stat().st_size
            revision.load(call, seconds=0, connections=times)
            with log.open("rb") as lines:
                lines.seek(before)
                found = _STATEMENT.findall(lines.read().decode(errors="replace"))
            revision.costs[call.name].statements = len(found) / times
    finally:
        database.execute("ALTER SYSTEM RESET log_statement")
        database.execute("SELECT pg_reload_conf()")


def table(there: dict[str, Cost], here: dict[str, Cost]) -> list[str]:
    """Markdown: there → here, and the ratio of the sums."""
    lines = [
        "| call | broker µs | PostgreSQL µs | sum, x | p50 ms | p99 ms | statements |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, new in here.items():
        old = there[name]
        ratio = statistics.median(one / other for one, other in zip(new.both, old.both, strict=True))
        cells = [
            _change(old.broker, new.broker, ".0f"),
            _change(old.database, new.database, ".0f") if any(new.database) else "",
            f"{ratio:.2f}",
            _change(old.p50, new.p50, ".1f") if new.p50 else "",
            _change(old.p99, new.p99, ".1f") if new.p99 else "",
            f"{old.statements:g} → {new.statements:g}" if new.p50 else "",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _change(old: list[float], new: list[float], form: str) -> str:
    return f"{statistics.median(old):{form}} → {statistics.median(new):{form}}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default="156fee0", metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", metavar="PATTERN", help="of the calls' names")
    parser.add_argument(
        "--worker", choices=["gthread", "sync"], default="gthread", help="production's is gthread"
    )
    options = parser.parse_args()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="brokkr-bench-")))
        other = stack.enter_context(checkout(options.against))
        postgres = stack.enter_context(private_postgres())
        database = stack.enter_context(psycopg.connect(postgres.url, autocommit=True))
        print("writing the data …", flush=True)
        pool = stack.enter_context(ThreadPoolExecutor())
        there, here = pool.map(
            lambda name, tree: _revision(tree, folder / name, postgres.url, options.worker),
            ("there", "here"),
            (other, ROOT),
        )
        stack.enter_context(environment.servers(there.server, here.server))
        list(pool.map(Revision.make_world, (there, here)))
        for revision in (there, here):
            revision.calls = [call for call in revision.calls if re.search(options.only, call.name)]
        database.execute("VACUUM ANALYZE")
        _measure(there, here, database, postgres.log, options)
        notes = environment.machine(database)
    kept = {name: cost for name, cost in here.costs.items() if cost.broker}
    print(f"\n{notes}\n\n" + "\n".join(table(there.costs, kept)))
    environment.save(
        "calls",
        {
            "machine": notes,
            "options": vars(options),
            "calls": {
                name: {"there": vars(there.costs[name]), "here": vars(cost)} for name, cost in kept.items()
            },
        },
    )
    return 0


def _revision(tree: Path, folder: Path, url: str, worker: str) -> Revision:
    folder.mkdir()
    with psycopg.connect(url, autocommit=True) as database:
        # Not of the usual template, because two cannot copy one at the same time.
        database.execute(f"CREATE DATABASE {folder.name}_revision TEMPLATE template0")
    return Revision(tree, folder, urlunsplit(urlsplit(url)._replace(path=f"/{folder.name}_revision")), worker)


def _measure(
    there: Revision, here: Revision, database: psycopg.Connection, log: Path, options: argparse.Namespace
) -> None:
    postmaster = environment.parent_of(database.info.backend_pid)
    for revision in (there, here):
        # Let every worker meet every stack, and prepare its statements.
        for call in revision.calls:
            revision.load(call, seconds=min(options.seconds, _WARM_UP_SECONDS))
            revision.meet(call)
        count_statements(revision, database, log)
    with there.in_process() as process_there, here.in_process() as process_here:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", flush=True)
            for one, other in zip(there.calls, here.calls, strict=True):
                windows: tuple[list[Window], list[Window]] = ([], [])
                for _ in range(_WINDOWS):
                    windows[0].append(there.window(one, options.seconds / _WINDOWS, postmaster))
                    windows[1].append(here.window(other, options.seconds / _WINDOWS, postmaster))
                there.costs[one.name].add(windows[0])
                here.costs[other.name].add(windows[1])
            if re.search(options.only, _BATCH):
                there.measure_batch(process_there)
                here.measure_batch(process_here)


if __name__ == "__main__":
    raise SystemExit(main())
