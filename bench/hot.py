"""The calls that agents make all day, against a bare Django view, in one run: `make bench-hot`.

Rounds of short windows, one variant after the other; a ratio is taken within its round, and the median of the rounds
counts. CPU time is that of gunicorn's and PostgreSQL's processes. With `--gate` only the target that does not move with
what else the machine does is measured, and missing it is exit code 1.
"""

import argparse
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from bench import data, stand
from bench.load import Seen, generate, request
from tests.support.postgres import private_postgres

_CONNECTIONS = 16
_SAMPLE = 4000
_WARM_UP = 1200


@dataclass
class Variant:
    name: str
    server: stand.Server
    requests: list[str]
    status: str
    keep_alive: bool = False
    seen: list[Seen] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    database_us: list[float] = field(default_factory=list)

    @property
    def rps(self) -> list[float]:
        return [seen.count / seen.seconds for seen in self.seen]

    @property
    def cpu(self) -> list[float]:
        return [sum(pair) for pair in zip(self.server_us, self.database_us, strict=True)]

    def p99(self) -> float:
        return statistics.median(seen.percentile(0.99) for seen in self.seen)


@dataclass(frozen=True)
class Target:
    """`of` over `to`, by requests per second or by CPU per request."""

    name: str
    of: str
    to: str
    bound: float
    by: str = "rps"

    def measured(self, variants: dict[str, Variant]) -> float:
        if self.by == "p99":
            return variants[self.of].p99() / variants[self.to].p99()
        pairs = zip(getattr(variants[self.of], self.by), getattr(variants[self.to], self.by), strict=True)
        return statistics.median(one / other for one, other in pairs)

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.by == "rps" else value <= self.bound


TARGETS = [
    Target("1 304 of bare", "304", "bare", 0.40),
    Target("1 304 of bare-db", "304", "bare-db", 0.70),
    Target("2 full, warm, of bare", "full, warm", "bare", 0.30),
    Target("2 full, warm, of 304", "full, warm", "304", 0.70),
    Target("4 heartbeat, durable, of bare-db", "heartbeat, durable", "bare-db", 0.50),
    Target("4 heartbeat, not durable, of bare", "heartbeat, not durable", "bare", 0.42),
    Target("8 bare of bare without our middleware", "bare", "bare, usual chain", 0.80),
    Target("9 CPU of a 304 over that of bare", "304", "bare", 2.8, by="cpu"),
    Target("10 p99 of a 304 over that of bare", "304", "bare", 3.0, by="p99"),
]


# Of time on the CPU, which neighbours do not take away.
GATE = next(target for target in TARGETS if target.by == "cpu")


def requests_of(make: Callable[[int], str]) -> list[str]:
    numbers = random.Random(1).sample(range(data.AGENTS), _SAMPLE)
    return [make(number) for number in numbers]


def polls(*, etags: dict[int, str] | None = None) -> list[str]:
    def make(number: int) -> str:
        headers = [f"If-None-Match: {etags[number]}"] if etags else []
        path = f"/api/v1/agents/{data.agent_id(number)}/target-state"
        return request("GET", path, key=data.agent_key(number), headers=headers)

    return requests_of(make)


def own(method: str, path: str, body: str = "") -> list[str]:
    def make(number: int) -> str:
        whole = f"/api/v1/agents/{data.agent_id(number)}/{path}"
        return request(method, whole, key=data.agent_key(number), body=body)

    return requests_of(make)


def etags_of() -> dict[int, str]:
    # Importing them needs Django, which needs the database's address.
    from agents.api.state import state_etag
    from agents.target_state import state_of

    found = {}
    for number in random.Random(1).sample(range(data.AGENTS), _SAMPLE):
        ids = state_of(agent_id=UUID(data.agent_id(number)), mode="full")
        assert len(ids) == data.MATCHED
        found[number] = state_etag(ids)
    return found


def measure(variant: Variant, seconds: float, postmaster: int, *, keep: bool) -> int:
    """One window of load; the number of requests that were answered, as they should be."""
    before = stand.cpu_ns(variant.server.process.pid), stand.cpu_ns(postmaster)
    seen = generate(
        variant.server.port,
        variant.requests,
        connections=_CONNECTIONS,
        seconds=seconds,
        keep_alive=variant.keep_alive,
    )
    after = stand.cpu_ns(variant.server.process.pid), stand.cpu_ns(postmaster)
    if set(seen.statuses) != {variant.status}:
        raise RuntimeError(f"{variant.name}: {dict(seen.statuses)}")
    if keep:
        variant.seen.append(seen)
        variant.server_us.append((after[0] - before[0]) / seen.count / 1000)
        variant.database_us.append((after[1] - before[1]) / seen.count / 1000)
    return seen.count


def table(variants: dict[str, Variant], bare: str, bare_db: str) -> list[str]:
    heads = ["rps", "x bare", "x bare-db", "p50 ms", "p99 ms", "py us", "pg us", "cpu x", "spread"]
    lines = [f"{'':<34}" + "".join(f"{head:>10}" for head in heads)]
    for variant in variants.values():

        def ratio(to: str, by: str = "rps", mine: Variant = variant) -> float:
            return Target("", mine.name, to, 0, by).measured(variants)

        p50 = statistics.median(seen.percentile(0.5) for seen in variant.seen)
        cells = [
            f"{statistics.median(variant.rps):.0f}",
            f"{ratio(bare):.2f}",
            f"{ratio(bare_db):.2f}",
            f"{p50:.1f}",
            f"{variant.p99():.1f}",
            f"{statistics.median(variant.server_us):.0f}",
            f"{statistics.median(variant.database_us):.0f}",
            f"{ratio(bare, 'cpu'):.2f}",
            f"{stand.spread(variant.rps):.0%}",
        ]
        lines.append(f"{variant.name:<34}" + "".join(f"{cell:>10}" for cell in cells))
    return lines


def gate(product: stand.Server, etags: dict[int, str], *, rounds: int) -> int:
    """Whether a 304 costs no more CPU than it may: 0, or 1."""
    variants = {
        "bare": Variant("bare", product, [request("GET", "/bench/bare")], "200"),
        "304": Variant("304", product, polls(etags=etags), "304"),
    }
    with stand.servers(product):
        postmaster = stand.postmaster()
        warm_up(variants.values(), postmaster)
        for _ in range(rounds):
            for variant in variants.values():
                measure(variant, 1.0, postmaster, keep=True)
    value = GATE.measured(variants)
    print(f"{GATE.name}: {value:.2f}, at most {GATE.bound}")
    return 0 if GATE.holds(value) else 1


def warm_up(variants: Iterable[Variant], postmaster: int) -> None:
    """Let every worker meet every stack."""
    for variant in variants:
        warmed = 0
        while warmed < _WARM_UP:
            warmed += measure(variant, 1.0, postmaster, keep=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--gthread", action="store_true", help="also the worker that production runs")
    parser.add_argument("--stacks", type=int, default=2000)
    parser.add_argument(
        "--gate", action="store_true", help="only the CPU of a 304; exit code 1 when too high"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        folder = Path(name)
        stand.start_django(postgres.url, folder)
        print("writing the data …", flush=True)
        data.fill(stacks=options.stacks, versions=5, object_bytes=5000)
        etags = etags_of()
        product = stand.Server(folder)
        if options.gate:
            return gate(product, etags, rounds=options.rounds)
        usual = stand.Server(folder, environment={"BENCH_PLAIN_CHAIN": "1"})
        careless = stand.Server(folder, environment={"BROKKR_HEARTBEAT_DURABLE": "false"})
        small = stand.Server(folder, environment={"BROKKR_FRAGMENT_CACHE_MIB": "1"})
        running = [product, usual, careless, small]
        bare = [request("GET", "/bench/bare")]
        bare_db = requests_of(lambda number: request("GET", f"/bench/bare-db?hash={data.key_hash(number)}"))
        said = '{"k8s_reachable":true,"k8s_api_latency_ms":12}'
        listed = [
            Variant("bare", product, bare, "200"),
            Variant("bare, usual chain", usual, bare, "200"),
            Variant("bare-db", product, bare_db, "200"),
            Variant("304", product, polls(etags=etags), "304"),
            Variant("full, warm", product, polls(), "200"),
            Variant("full, cold", small, polls(), "200"),
            Variant("heartbeat, durable", product, own("POST", "heartbeat", said), "204"),
            Variant("heartbeat, not durable", careless, own("POST", "heartbeat", said), "204"),
            Variant("look for work", product, own("GET", "work-orders/pending"), "200"),
        ]
        if options.gthread:
            threads = stand.Server(folder, worker="gthread")
            running.append(threads)
            listed += [
                Variant("gthread: bare", threads, bare, "200", keep_alive=True),
                Variant("gthread: bare-db", threads, bare_db, "200", keep_alive=True),
                Variant("gthread: 304", threads, polls(etags=etags), "304", keep_alive=True),
                Variant("gthread: full, warm", threads, polls(), "200", keep_alive=True),
                Variant(
                    "gthread: heartbeat, durable",
                    threads,
                    own("POST", "heartbeat", said),
                    "204",
                    keep_alive=True,
                ),
            ]
        variants = {variant.name: variant for variant in listed}
        with stand.servers(*running):
            postmaster = stand.postmaster()
            warm_up(listed, postmaster)
            for number in range(options.rounds):
                print(f"round {number + 1} of {options.rounds}", flush=True)
                for variant in listed:
                    measure(variant, options.seconds, postmaster, keep=True)
            notes = stand.machine()
        print(f"\ngunicorn sync -w2, {_CONNECTIONS} connections, {notes}\n")
        print("\n".join(table(variants, "bare", "bare-db")))
        print()
        outcome = {target.name: target.measured(variants) for target in TARGETS}
        for target in TARGETS:
            value = outcome[target.name]
            sign = ">=" if target.by == "rps" else "<="
            verdict = "holds" if target.holds(value) else "MISSED"
            print(f"{verdict:<7}{target.name:<42}{value:>6.2f}  {sign} {target.bound}")
        stand.save(
            "hot",
            {
                "machine": notes,
                "options": vars(options),
                "targets": outcome,
                "variants": {
                    variant.name: {
                        "rps": variant.rps,
                        "server_us": variant.server_us,
                        "database_us": variant.database_us,
                        "p50_ms": [seen.percentile(0.5) for seen in variant.seen],
                        "p99_ms": [seen.percentile(0.99) for seen in variant.seen],
                    }
                    for variant in listed
                },
            },
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
