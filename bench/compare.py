"""What a poll costs in several revisions and behind poolers, interleaved in one run: `make bench-compare`.

Each runs as in production, two processes with threads, on the same PostgreSQL with the same data. CPU time is that of
the web processes and of PostgreSQL, not of the pooler; ratios are taken within a round, and their median
counts.
"""

import argparse
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import agent_calls, data, environment
from bench.load import generate
from tests.faults.test_poolers import ROLE, TIMEOUTS
from tests.support.pgbouncer import OF_TRIXIE, SYSTEM, pgbouncer
from tests.support.postgres import private_postgres
from tests.support.proxy import Proxy
from tests.support.revision import checkout

_CONNECTIONS = 16


@dataclass
class Candidate:
    name: str
    server: environment.Server
    us: list[float] = field(default_factory=list)


def measure(candidate: Candidate, requests: list[str], seconds: float, postmaster: int) -> float:
    """CPU microseconds for each poll."""
    roots = (candidate.server.process.pid, postmaster)
    before = sum(map(environment.cpu_ns, roots))
    seen = generate(candidate.server.port, requests, connections=_CONNECTIONS, seconds=seconds)
    after = sum(map(environment.cpu_ns, roots))
    if set(seen.statuses) != {"304"}:
        raise RuntimeError(f"{candidate.name}: {dict(seen.statuses)}")
    return (after - before) / seen.count / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", action="append", default=[], metavar="REVISION", help="may be repeated")
    parser.add_argument("--poolers", action="store_true", help="also behind PgBouncer, if it is here")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--stacks", type=int, default=2000)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name,
        private_postgres() as postgres,
        ExitStack() as stack,
    ):
        folder = Path(name)
        environment.start_django(postgres.url, folder)
        print("writing the data …", flush=True)
        data.fill(stacks=options.stacks, versions=5, object_bytes=5000)
        polls = agent_calls.polls(etags=agent_calls.etags_of())
        candidates = [Candidate("here", environment.Server(folder, worker="threads"))]
        candidates += [
            Candidate(revision, environment.Server(folder, worker="threads", code=tree))
            for revision in options.against
            for tree in [stack.enter_context(checkout(revision))]
        ]
        if options.poolers:
            candidates += behind_poolers(stack, folder, postgres)
        with environment.servers(*(candidate.server for candidate in candidates)):
            postmaster = environment.postmaster()
            for candidate in candidates:
                measure(candidate, polls, 4.0, postmaster)
            for number in range(options.rounds):
                print(f"round {number + 1} of {options.rounds}", flush=True)
                # Turned round each time, so that none always follows the same one.
                for candidate in candidates[:: 1 if number % 2 else -1]:
                    candidate.us.append(measure(candidate, polls, options.seconds, postmaster))
            print(f"\nCPU of a poll that finds nothing new (304), {environment.machine()}\n")
        here = candidates[0]
        for candidate in candidates:
            ratios = [mine / theirs for mine, theirs in zip(here.us, candidate.us, strict=True)]
            inverse = [1 / ratio for ratio in ratios]
            print(
                f"{candidate.name:<40}{statistics.median(candidate.us):>8.0f} us"
                f"   here / it {statistics.median(ratios):.3f}   it / here {statistics.median(inverse):.3f}"
            )


def behind_poolers(stack: ExitStack, folder: Path, postgres: object) -> list[Candidate]:
    """Brokers of this checkout behind the poolers that are here."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} SUPERUSER LOGIN")
        for parameter, value in (TIMEOUTS | {"random_page_cost": "1.1", "jit": "off"}).items():
            cursor.execute(f"ALTER ROLE {ROLE} SET {parameter} = '{value}'")
    proxy = stack.enter_context(Proxy(postgres.socket))
    found = []
    for release, setting in (
        (SYSTEM, "transaction"),
        (OF_TRIXIE, "transaction"),
        (OF_TRIXIE, "transaction-prepared"),
    ):
        if not release.is_here:
            print(f"left out: PgBouncer ({release.name}) is not here")
            continue
        url = stack.enter_context(
            pgbouncer(release, postgres_port=proxy.port, role=ROLE, prepared=setting.endswith("prepared"))
        )
        variables = {"DATABASE_URL": url, "BROKKR_DB_POOLER": setting}
        server = environment.Server(folder, worker="threads", environment=variables)
        found.append(Candidate(f"PgBouncer ({release.name}), {setting}", server))
    return found


if __name__ == "__main__":
    main()
