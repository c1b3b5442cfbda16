"""What clients see while the database is in trouble: `make bench-faults`; before and after in docs/reliability.md.

A broker as in production, two processes of four threads, is asked by sixteen clients during each fault. It is that of
this tree, or of `--revision`. Whoever is not answered within 20 seconds is given up.
"""

import argparse
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import sleep

import psycopg

from tests.faults.test_poolers import ROLE, TIMEOUTS
from tests.support.clocked import ask, poll_path
from tests.support.live_api import MANIFEST, make_rows
from tests.support.pgbouncer import SYSTEM, pgbouncer
from tests.support.postgres import PrivatePostgres, private_postgres
from tests.support.proxy import Proxy
from tests.support.revision import checkout
from tests.support.server import ROOT, LiveServer

_PATIENCE = 20
_CLIENTS = 16
# Method, path, key, body.
Call = tuple[str, str, str, object]


class Stand:
    def __init__(self, folder: Path, url: str, code: Path) -> None:
        self.folder, self.url, self.code = folder, url, code
        broker = LiveServer(database_url=url, data_dir=folder, code=code)
        broker.prepare()
        self.key = broker.admin_key
        with broker.running():
            rows = make_rows(broker, "faults")
        path = f"/api/v1/stacks/{rows.stack_id}"
        self.poll: Call = ("GET", poll_path(rows.agent_id), rows.agent_key, None)
        self.beat: Call = ("POST", f"/api/v1/agents/{rows.agent_id}/heartbeat", rows.agent_key, None)
        self.read: Call = ("GET", path, rows.generator_key, None)
        self.publish: Call = ("POST", f"{path}/deployment-objects", self.key, {"yaml_content": MANIFEST})
        self.mixed = [self.poll, self.beat, self.read, self.publish]
        self.stack_id = rows.stack_id

    @contextmanager
    def broker(self, url: str = "", **environment: str) -> Iterator[LiveServer]:
        broker = LiveServer(
            database_url=url or self.url, data_dir=self.folder, code=self.code, environment=environment
        )
        with broker.running():
            yield broker


def told(broker: LiveServer, call: Call) -> tuple[str, float]:
    """Status and code, and after how many seconds."""
    method, path, key, body = call
    try:
        answer = ask(broker, method, path, key=key, body=body, patience=_PATIENCE)
    except OSError:
        return "no answer", float(_PATIENCE)
    refused = answer.status >= 400 and answer.headers.get("content-type") == "application/json"
    return f"{answer.status} {answer.code}" if refused else str(answer.status), answer.seconds


def at_once(broker: LiveServer, calls: Sequence[Call], *, clients: int = _CLIENTS) -> list[tuple[str, float]]:
    repeated = [calls[number % len(calls)] for number in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda call: told(broker, call), repeated))


def show(name: str, seen: Sequence[tuple[str, float]]) -> None:
    seconds = [each for _, each in seen]
    statuses = ", ".join(f"{count} x {status}" for status, count in Counter(s for s, _ in seen).most_common())
    print(
        f"  {name:<22} median {statistics.median(seconds):6.2f} s, longest {max(seconds):6.2f} s   {statuses}"
    )


def during(broker: LiveServer, stuck: Sequence[Call], others: Sequence[Call] = ()) -> None:
    """Sixteen clients ask at once; probes, and the calls of others, meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(at_once, broker, stuck)
        sleep(0.3)
        # At the same time, lest one that hangs is all that is seen.
        probes = [("GET", "/healthz", "", None)] * 8 + [("GET", "/readyz", "", None)] * 2
        with ThreadPoolExecutor(len(probes) + 1) as more:
            watched = [more.submit(told, broker, probe) for probe in probes]
            noticed = [told(broker, other) for other in others]
            seen = [each.result() for each in watched]
        show("16 clients", future.result())
    if noticed:
        show("everybody else", noticed)
    show("/healthz", seen[:8])
    show("/readyz", seen[8:])


def by(proxy: Proxy) -> str:
    return f"postgres://postgres@127.0.0.1:{proxy.port}/postgres"


def stopped(stand: Stand, postgres: PrivatePostgres, _: Proxy) -> None:
    """all of PostgreSQL is stopped (SIGSTOP)"""
    with stand.broker() as broker:
        at_once(broker, stand.mixed, clients=48)
        postgres.suspend()
        try:
            during(broker, stand.mixed)
        finally:
            postgres.resume()


def silent(stand: Stand, _: PrivatePostgres, proxy: Proxy) -> None:
    """a proxy keeps every connection and says nothing"""
    with stand.broker(by(proxy)) as broker:
        at_once(broker, stand.mixed, clients=48)
        proxy.fall_silent(for_new_ones=True)
        during(broker, stand.mixed)
    proxy.heal()


def silent_but_for_new_ones(stand: Stand, _: PrivatePostgres, proxy: Proxy) -> None:
    """established connections are silent, new ones work"""
    with stand.broker(by(proxy)) as broker:
        at_once(broker, stand.mixed, clients=48)
        proxy.fall_silent(for_new_ones=False)
        during(broker, stand.mixed)
        show("16 clients, later", at_once(broker, stand.mixed))


def locked(stand: Stand, postgres: PrivatePostgres, _: Proxy) -> None:
    """somebody else's idle transaction holds one stack, to which 16 clients publish"""
    with stand.broker() as broker, psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1 FROM stacks WHERE id = %s FOR UPDATE", [stand.stack_id])
        during(broker, [stand.publish], [stand.poll, stand.beat, stand.read] * 3)
        connection.rollback()


def read_only(stand: Stand, postgres: PrivatePostgres, _: Proxy) -> None:
    """the database only reads"""
    with psycopg.connect(postgres.url, autocommit=True) as connection, stand.broker() as broker:
        connection.execute("UPDATE paks SET last_used_at = NULL")
        connection.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        sleep(1)
        for what, call in (("polls", stand.poll), ("heartbeats", stand.beat), ("publishing", stand.publish)):
            show(what, at_once(broker, [call]))
        show("/readyz", [told(broker, ("GET", "/readyz", "", None))])
        connection.execute("ALTER DATABASE postgres RESET default_transaction_read_only")


def pooled(stand: Stand, postgres: PrivatePostgres, proxy: Proxy) -> None:
    """behind the system's PgBouncer in transaction mode, with two connections"""
    if not SYSTEM.is_here:
        print("  left out: it is not here")
        return
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ROLE} SUPERUSER LOGIN")
        for parameter, value in TIMEOUTS.items():
            connection.execute(f"ALTER ROLE {ROLE} SET {parameter} = '{value}'")
    with pgbouncer(SYSTEM, postgres_port=proxy.port, role=ROLE, prepared=False) as url:
        try:
            with stand.broker(url, BROKKR_DB_POOLER="transaction") as broker:
                show("180 calls", at_once(broker, [stand.poll, stand.beat], clients=180))
        except AssertionError as error:
            print(f"  does not start: {str(error).splitlines()[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--revision", help="whose broker is asked; without it, this tree's")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name,
        private_postgres() as postgres,
        Proxy(postgres.socket) as proxy,
        checkout(options.revision) if options.revision else nullcontext(ROOT) as code,
    ):
        stand = Stand(Path(name), postgres.url, code)
        for fault in (stopped, silent, silent_but_for_new_ones, locked, read_only, pooled):
            print(fault.__doc__)
            fault(stand, postgres, proxy)


if __name__ == "__main__":
    main()
