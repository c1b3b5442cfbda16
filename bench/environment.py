"""What every bench stands on: a PostgreSQL, servers, CPU clocks, and notes about the machine."""

import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.support.server import AUDIT_KEY, ROOT, free_port

RESULTS = Path(__file__).parent / "results"


def start_django(database_url: str, folder: Path) -> None:
    """This process, too, works on that database."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "DATABASE_URL": database_url,
        "BROKKR_DATA_DIR": str(folder),
        "BROKKR_AUDIT_SIGNING_KEY": AUDIT_KEY,
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def admin_key() -> str:
    """A new admin key; after `start_django`."""
    from core.events import SYSTEM
    from paks.models import Role
    from paks.services import issue_pak

    _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="bench", actor=SYSTEM)
    return key


class Server:
    """One gunicorn with the product in it, as it is in `tree`."""

    def __init__(
        self,
        folder: Path,
        *,
        worker: str = "sync",
        workers: int = 2,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        code: Path = ROOT,
    ) -> None:
        self.port = free_port()
        self.log = (folder / f"{self.port}.log").open("ab")
        kind = ["-k", "sync", "--threads", "1"] if worker == "sync" else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *kind, *arguments],
            cwd=code,
            env=os.environ
            | {"BROKKR_BIND": "127.0.0.1", "BROKKR_PORT": str(self.port), "BROKKR_WEB_WORKERS": str(workers)}
            | dict(environment or {}),
            stdout=self.log,
            stderr=self.log,
        )

    def wait(self) -> None:
        # Generous, because a busy machine takes minutes.
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"the server did not start: see {self.log.name}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


@contextmanager
def servers(*all_of_them: Server) -> Iterator[None]:
    try:
        for server in all_of_them:
            server.wait()
        yield
    finally:
        for server in all_of_them:
            server.stop()


@contextmanager
def worker() -> Iterator[None]:
    """A `run_worker` of this tree as long as the block runs."""
    quiet = os.environ | {"BROKKR__LOG__LEVEL": "warn"}
    process = subprocess.Popen([sys.executable, "manage.py", "run_worker"], cwd=ROOT, env=quiet)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def simulate(arguments: Sequence[str], key: str) -> dict[str, Any]:
    """The report of `manage.py simulate_fleet` of this tree, with an admin key of the broker."""
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate_fleet", "--json", "--keep", *arguments],
        cwd=ROOT,
        env=os.environ | {"BROKKR_ADMIN_PAK": key},
        stdout=subprocess.PIPE,
        check=False,
    )
    if not done.stdout:
        raise RuntimeError("the simulation did not come to an end")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def postmaster() -> int:
    """The process id of the PostgreSQL server that Django is connected to."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return parent_of(cursor.fetchone()[0])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def descendants(root: int) -> set[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_ns(root: int) -> int:
    """CPU time that the living threads of a process and its descendants have used, to the nanosecond."""
    total = 0
    for pid in descendants(root):
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text().split()[0])
            except OSError:
                continue
    return total


def memory_kib(pid: int) -> int:
    """Private memory of one process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel tells no private memory")


def machine(database: psycopg.Connection | None = None) -> dict[str, object]:
    """Notes about it; PostgreSQL is that of `database`, or Django's."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "postgresql": _server_version(database),
    }


def _server_version(database: psycopg.Connection | None) -> str:
    if database is None:
        from django.db import connection

        connection.ensure_connection()
        database = connection.connection
    return database.info.parameter_status("server_version")


def spread(values: Sequence[float]) -> float:
    """Largest minus smallest, as a share of the median."""
    return (max(values) - min(values)) / statistics.median(values) if values else 0.0


def save(name: str, data: Mapping[str, object]) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(data, indent=1, default=str))
    print(f"\nwritten to {path.relative_to(ROOT)}")
