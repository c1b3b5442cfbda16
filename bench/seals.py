"""What sealing costs those who write the audit log, and how soon rows are sealed: `make bench-seals`.

One process writes labels at 10,000 a minute, each in a transaction with its row, on a PostgreSQL of its own. In turns a
worker process seals the log or does not. The CPU is that of the writing process and of its database session; the time
to a seal is from the row's time to that of the seal. The log begins with an hour of such rows, which a search passes.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from bench import environment
from tests.support.postgres import private_postgres

_PER_MINUTE = 10_000
_FILLED = 600_000
_FILLED_AT_ONCE = 20_000
_SEAL_EVERY = 3.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each turn")
    parser.add_argument("--filled", type=int, default=_FILLED, help="rows that are sealed before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        notes = environment.machine()
        _fill(options.filled)
        write = _writer()
        rounds = []
        processes = multiprocessing.get_context("spawn")
        for _ in range(options.rounds):
            turn: dict[str, Any] = {}
            turn["alone"] = write(options.seconds)
            ready, stop = processes.Event(), processes.Event()
            worker = processes.Process(target=_seal, args=(postgres.url, name, ready, stop))
            worker.start()
            ready.wait()
            since = time.time()
            turn["sealed"] = write(options.seconds)
            stop.set()
            worker.join(60)
            turn["slowest"] = _slowest(since)
            turn["ratio"] = turn["sealed"] / turn["alone"]
            rounds.append(turn)
            print({key: round(value, 3) for key, value in turn.items()}, flush=True)
    ratio = statistics.median(turn["ratio"] for turn in rounds)
    print(f"CPU of a writer beside a worker that seals: {ratio:.3f} of that without (bound 1.02)")
    print(
        f"slowest row: sealed {max(turn['slowest'] for turn in rounds):.1f} s after it was written (bound 10)"
    )
    environment.save("seals", {"machine": notes, "rounds": rounds})
    return 0


def _fill(rows: int) -> None:
    from django.db import connection

    # They name a seal that is not there: sealing looks only at whether they name one.
    with connection.cursor() as cursor:
        for _ in range(0, rows, _FILLED_AT_ONCE):
            cursor.execute(
                "INSERT INTO audit_logs (id, timestamp, created_at, actor_type, actor_label, action, resource_type,"
                " resource_id, details, after, reason, ip_address, user_agent, request_id, author_salt, content_salt,"
                " seal) SELECT gen_random_uuid(), now(), now(), 'admin', 'bench', 'stack.label_added', 'stack',"
                """ gen_random_uuid(), '{"label": "x"}', '{"label": "x"}', '', '127.0.0.1', 'bench', 'r',"""
                " gen_random_uuid(), gen_random_uuid(), 0 FROM generate_series(1, %s)",
                [_FILLED_AT_ONCE],
            )


def _writer() -> Any:
    from django.db import connection

    from core.events import SYSTEM
    from core.labels.services import add_label
    from tests.factories import make_stack

    stack = make_stack()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    count = 0

    def write(seconds: float) -> float:
        """Milliseconds of CPU for each row."""
        nonlocal count
        began, rows = time.monotonic(), 0
        cpu = time.process_time_ns() + environment.cpu_ns(backend)
        while (passed := time.monotonic() - began) < seconds:
            if rows >= passed * _PER_MINUTE / 60:
                time.sleep(0.002)
                continue
            add_label(owner=stack, label=f"label-{count}", actor=SYSTEM)
            count += 1
            rows += 1
        return (time.process_time_ns() + environment.cpu_ns(backend) - cpu) / rows / 1e6

    return write


def _seal(url: str, folder: str, ready: Event, stop: Event) -> None:
    environment.start_django(url, Path(folder))
    from django.db import connection
    from django.utils import timezone

    from audit.services import seal_new_entries

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    runs, cpu, database = 0, time.process_time(), environment.cpu_ns(backend)
    seal_new_entries(now=timezone.now())
    ready.set()
    while not stop.wait(_SEAL_EVERY):
        seal_new_entries(now=timezone.now())
        runs += 1
    seal_new_entries(now=timezone.now())
    database = environment.cpu_ns(backend) - database
    print(
        f"worker: {runs + 2} runs, {(time.process_time() - cpu) / (runs + 2) * 1000:.0f} ms CPU a run, "
        f"{database / (runs + 2) / 1e6:.0f} ms of its database session",
        flush=True,
    )
    connection.close()


def _slowest(since: float) -> float:
    """The longest time, in seconds, from a row written since then to its seal."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM max(seal.sealed_at - entry.timestamp)) FROM audit_logs entry"
            " JOIN audit_seals seal ON seal.number = entry.seal WHERE entry.timestamp >= to_timestamp(%s)",
            [since],
        )
        return float(cursor.fetchone()[0])


if __name__ == "__main__":
    raise SystemExit(main())
