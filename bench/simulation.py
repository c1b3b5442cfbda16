"""A whole fleet for ten minutes against gunicorn as it runs in production: `make bench-simulation`.

10,000 agents join over three minutes, then live for ten: 2,000 stacks, 20 matched by each agent. Each stack changes
four times a day, which is one change in ten seconds that reaches a hundred agents. With `--rollouts` a worker runs too.
`--storm AGENTS` lets so many agents join within a minute instead, here and in the revision of `--against REVISION`.
Other fleets by the options of `manage.py simulate_fleet`, which are taken as well and win.
"""

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench import environment, storm
from tests.support.postgres import private_postgres

_FLEET = {
    "--agents": "10000",
    "--interval": "30",
    "--joining": "180",
    "--duration": "600",
    "--stacks": "2000",
    "--matched": "20",
    "--changes": "0.1",
    "--processes": "1",
}
_P99_MS = 50.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="The other options are those that `manage.py simulate_fleet --help` names.",
    )
    parser.add_argument("--storm", type=int, metavar="AGENTS")
    parser.add_argument("--against", metavar="REVISION")
    given, arguments = parser.parse_known_args(arguments)
    if given.storm is not None:
        storm.measure(given.storm, given.against)
        return 0
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        notes = environment.machine()
        server = environment.Server(
            Path(name), worker="gthread", environment={"DJANGO_SETTINGS_MODULE": "brokkr_site.settings"}
        )
        # Rollouts go on by the worker's clock.
        worker = environment.worker() if "--rollouts" in arguments else nullcontext()
        with environment.servers(server), worker:
            report = _simulate(arguments, server, environment.postmaster())
    slow = {kind: call["p99_ms"] for kind, call in report["calls"].items() if call["p99_ms"] > _P99_MS}
    cores = report["client_cpu_ms_per_agent_and_minute"] * report["agents"] / 60_000
    for period, title in (("while_joining", "while agents join"), ("calls", "when all are there")):
        print(f"\n{title:<20}{'count':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}")
        for kind, call in report[period].items():
            numbers = [call[name] for name in ("count", "p50_ms", "p95_ms", "p99_ms")]
            print(f"{kind:<20}{''.join(f'{number:>8}' for number in numbers)}")
    print(f"overloaded until {report['overloaded_until_second']} s after the last had joined")
    print(f"errors: {report['errors']}, violations: {report['violation_count']}")
    print(f"cores: {report['server_cores_used']} broker and PostgreSQL, {cores:.2f} the simulator")
    if "rollouts" in report:
        print(json.dumps(report["rollouts"], indent=1))
    print(f"p99 over {_P99_MS:g} ms: {slow or 'of no call'}")
    environment.save("simulation", {"machine": notes, "arguments": arguments, "report": report})
    return 0


def _simulate(arguments: list[str], server: environment.Server, postmaster: int) -> dict[str, Any]:
    options = ["--url", f"http://127.0.0.1:{server.port}"]
    for pid in (server.process.pid, postmaster):
        options += ["--server-pid", str(pid)]
    for option in _FLEET.items():
        options += option
    return environment.simulate([*options, *arguments], environment.admin_key())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
