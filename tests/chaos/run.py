"""One chaos run."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.faults import endless, fail_the_database_over, name_of
from tests.chaos.report import Happened, Report, judge
from tests.chaos.stand import Stand, running_stand
from tests.chaos.witnesses import Notes, watching
from tests.support.live_api import Rows, as_admin, make_rows
from tests.support.receiver import running_receiver
from tests.support.server import ROOT
from tests.support.waits import wait_for

# For how long all is well before the next fault.
_SHORTEST_CALM, _LONGEST_CALM = 2.0, 6.0
# A broker that is not back by then will not come back. Longer than the bound, which the report judges.
_PATIENCE_SECONDS = 90.0


def run(*, seed: int, seconds: float, agents: int, say: Callable[[str], None]) -> Report:
    """Let a fleet live for so many seconds among faults, and judge what became of what was acknowledged.

    The same seed makes the same faults, for as long as the machine is as quick.
    """
    chance = random.Random(seed)  # noqa: S311  chance, not secrecy
    report = Report(seed, seconds)
    with (
        tempfile.TemporaryDirectory(prefix="brokkr-chaos-") as folder,
        running_receiver() as receiver,
        running_stand(Path(folder)) as stand,
    ):
        rows = make_rows(stand.broker, "chaos")
        webhook_id = _subscribe(stand, receiver.url())
        with psycopg.connect(stand.database.primary.url) as database:
            ((since,),) = database.execute("SELECT clock_timestamp()").fetchall()
        with _fleet(stand, agents, seconds, seed, Path(folder)) as fleet:
            notes, happened = _trouble(stand, rows, chance, seconds, say)
            # It verifies its own writes at the end.
            said = fleet()
        with psycopg.connect(stand.database.primary.url) as database:
            judge(report, notes, happened, said, database, webhook_id=webhook_id, since=since)
    return report


def _trouble(
    stand: Stand, rows: Rows, chance: random.Random, seconds: float, say: Callable[[str], None]
) -> tuple[Notes, list[Happened]]:
    """One fault after another, each when all is well again."""
    end = time.monotonic() + seconds
    faults: list[tuple[str, float, float]] = []
    with watching(stand.broker, rows) as notes:
        wait_for(lambda: notes.all_answered_since(0.0), patience=_PATIENCE_SECONDS)
        for fault in endless(chance):
            time.sleep(chance.uniform(_SHORTEST_CALM, _LONGEST_CALM))
            # What still hangs is of the fault before; what the next one cuts off is not.
            wait_for(notes.nothing_hangs, patience=_PATIENCE_SECONDS)
            if time.monotonic() >= end:
                break
            began = time.monotonic()
            fault(stand, chance)
            over = time.monotonic()
            faults.append((name_of(fault), began, over))
            wait_for(lambda: notes.all_answered_since(over), patience=_PATIENCE_SECONDS)  # noqa: B023  at once
            say(f"{name_of(fault)}: {over - began:.1f} s, all answered {time.monotonic() - over:.1f} s later")
            if fault is fail_the_database_over:
                stand.database.follow_again()
    beginnings = [*(began for _, began, _ in faults[1:]), time.monotonic()]
    return notes, [
        Happened(name, began, over, until)
        for (name, began, over), until in zip(faults, beginnings, strict=True)
    ]


def _subscribe(stand: Stand, url: str) -> str:
    body = {"name": "chaos", "url": url, "event_types": ["deployment.created"]}
    return str(as_admin(stand.broker, "POST", "/webhooks", body)["id"])


@contextmanager
def _fleet(
    stand: Stand, agents: int, seconds: float, seed: int, folder: Path
) -> Iterator[Callable[[], dict[str, Any]]]:
    """A simulated fleet with publishers; what is called at its end gives its report."""
    options = {
        "--url": stand.broker.url,
        "--agents": agents,
        "--interval": 5,
        "--duration": seconds,
        "--stacks": 20,
        "--matched": 4,
        "--changes": 1,
        "--processes": 1,
        "--seed": seed,
    }
    command = [sys.executable, "manage.py", "simulate_fleet", "--json", "--keep"]
    command += [str(part) for option in options.items() for part in option]
    environment = stand.broker.environment | {"BROKKR_ADMIN_PAK": stand.broker.admin_key}
    with (folder / "fleet.json").open("w+b") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=output)

        def said() -> dict[str, Any]:
            process.wait()
            assert output.seek(0, os.SEEK_END), "the fleet failed, as it says above"
            output.seek(0)
            report: dict[str, Any] = json.loads(output.read())
            return report

        try:
            yield said
        finally:
            process.kill()
            process.wait()
