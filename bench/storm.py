"""A storm of agents that join within a minute, against this tree and another revision in turn.

Run by `make bench-simulation BENCH_ARGS="--storm 1000 --against REVISION"`.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import environment
from tests.support.postgres import private_postgres
from tests.support.revision import checkout
from tests.support.server import ROOT, LiveServer

_JOINING_SECONDS, _AFTER_SECONDS = 60, 60
# Shorter than the run, so that who is announced silent in it was so wrongly: every agent beats every 30 seconds.
_GRACE = {"BROKKR_AGENT_SILENT_AFTER_SECONDS": "60"}
# While they lived. Afterwards, while the simulator verifies, they are silent indeed.
_ANNOUNCED = """
SELECT count(*) FROM audit_logs
WHERE action = 'agent.silent' AND timestamp < (SELECT max(last_heartbeat) FROM agent_heartbeats)
"""
_VITAL = ("heartbeat", "poll")


@dataclass(frozen=True)
class Storm:
    """What one build did in it."""

    name: str
    report: dict[str, Any]
    announced_silent: int

    def p99(self, kind: str) -> float:
        return float(self.report["while_joining"].get(kind, {}).get("p99_ms", 0.0))


def measure(agents: int, against: str | None) -> None:
    """Let so many agents join at once, show what both builds did, and save it."""
    storms = []
    with ExitStack() as stack:
        builds = {"this tree": ROOT}
        if against is not None:
            builds[against] = stack.enter_context(checkout(against))
        for name, code in builds.items():
            storms.append(_storm(name, code, agents))
            _show(storms[-1])
    ours, *others = storms
    for other in others:
        for kind in _VITAL:
            ratio = ours.p99(kind) / other.p99(kind) if other.p99(kind) else float("nan")
            print(f"p99 of {kind} in the storm: {ratio:.2f} of {other.name}")
    reports = {each.name: each.report | {"announced_silent": each.announced_silent} for each in storms}
    environment.save("storm", {"agents": agents, "storms": reports})


def _storm(name: str, code: Path, agents: int) -> Storm:
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as folder, private_postgres() as postgres:
        broker = LiveServer(database_url=postgres.url, data_dir=Path(folder), environment=_GRACE, code=code)
        broker.prepare()
        with broker.running(), broker.worker():
            report = _simulate(broker, agents)
        with psycopg.connect(postgres.url) as database:
            ((silent,),) = database.execute(_ANNOUNCED).fetchall()
    return Storm(name, report, silent)


def _simulate(broker: LiveServer, agents: int) -> dict[str, Any]:
    options = {
        "--url": broker.url,
        "--agents": agents,
        "--interval": 30,
        "--joining": _JOINING_SECONDS,
        "--duration": _AFTER_SECONDS,
        "--stacks": max(20, agents // 5),
        "--matched": 20,
        "--changes": 0.1,
        "--processes": 1,
    }
    # The database goes with the bench, so that nothing need be cleaned up.
    return environment.simulate(
        ["--keep", *(str(part) for option in options.items() for part in option)], broker.admin_key
    )


def _show(storm: Storm) -> None:
    print(f"\n{storm.name:<20}{'count':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}  statuses and errors")
    for kind, call in storm.report["while_joining"].items():
        numbers = "".join(
            f"{call[name]:>{8 + (name != 'count')}}" for name in ("count", "p50_ms", "p95_ms", "p99_ms")
        )
        outcome = {**call["statuses"], **call["errors"]}
        print(
            f"{kind:<20}{numbers}  {', '.join(f'{count} x {what}' for what, count in sorted(outcome.items()))}"
        )
    print(
        f"overloaded until {storm.report['overloaded_until_second']} s after the last had joined; "
        f"announced silent: {storm.announced_silent}; violations: {storm.report['violation_count']}"
    )
