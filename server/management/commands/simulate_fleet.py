"""A fleet of agents against a broker, over HTTP."""

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.commands import as_json
from core.progress import ProgressBar
from simulator.fleet import Fleet, FleetFailed
from simulator.plan import FAULTS, PROTOCOLS, Plan


class Command(BaseCommand):
    help = (
        "Drive a broker with many agents and a few publishers from separate processes, check its answers while they "
        "run, and report. It creates what it needs through the API and deletes it at the end. "
        "Exit codes: 0 nothing wrong, 1 violations or no run, 2 wrong usage."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:3000", help="where the broker is")
        parser.add_argument(
            "--admin-pak-env",
            default="BROKKR_ADMIN_PAK",
            metavar="NAME",
            help="the environment variable that holds an admin key (default: BROKKR_ADMIN_PAK)",
        )
        parser.add_argument("--agents", type=_at_least_one, default=100)
        parser.add_argument("--interval", type=_positive, default=30.0, help="seconds between polls")
        parser.add_argument("--duration", type=_positive, default=120.0, help="seconds")
        parser.add_argument(
            "--joining",
            type=_not_negative,
            default=0.0,
            help="seconds before the duration over which the agents begin, reported apart (default: they begin within "
            "the first interval)",
        )
        parser.add_argument("--stacks", type=_at_least_one, default=400)
        parser.add_argument("--matched", type=_at_least_one, default=20, help="stacks that one agent serves")
        parser.add_argument("--object-bytes", type=_at_least_one, default=5000)
        parser.add_argument("--changes", type=_positive, default=2.0, help="changes of stacks per second")
        parser.add_argument(
            "--faults",
            type=_faults,
            default=(),
            metavar="FAULT[,FAULT…]",
            help=f"what goes wrong: {', '.join(FAULTS)}",
        )
        parser.add_argument(
            "--fault-share", type=_share, default=0.05, help="the share of requests that have a fault"
        )
        parser.add_argument(
            "--kill-every",
            type=_positive,
            default=20.0,
            help="with the fault kill: the mean of the seconds between two kills of a process",
        )
        parser.add_argument(
            "--processes",
            type=_at_least_one,
            default=max(1, len(os.sched_getaffinity(0)) // 2),
            help="processes of the simulator (default: half the cores)",
        )
        parser.add_argument(
            "--server-pid",
            type=_at_least_one,
            action="append",
            default=[],
            help="a process of the broker on this machine, whose CPU time and that of its children is reported; "
            "may be repeated",
        )
        parser.add_argument(
            "--rollouts",
            action="store_true",
            help="also publish good and bad versions by strategies, and check who sees them when; needs run_worker, "
            "and goes on after the duration until each has ended",
        )
        parser.add_argument(
            "--soak",
            type=_at_least_one,
            default=10,
            help="with --rollouts: seconds for which an agent must be good",
        )
        parser.add_argument(
            "--protocol",
            choices=PROTOCOLS,
            default=PROTOCOLS[0],
            help="what agents call: polls, heartbeats, looks for work and reports, or syncs in place of these",
        )
        parser.add_argument("--seed", type=int, default=1, help="for the same choices in another run")
        parser.add_argument("--keep", action="store_true", help="delete nothing at the end")
        parser.add_argument("--json", action="store_true", help="print the report as one JSON value")

    def handle(self, *args: Any, **options: Any) -> None:
        admin_key = os.environ.get(options["admin_pak_env"], "")
        if not admin_key:
            raise CommandError(f"Put an admin key into {options['admin_pak_env']}.", returncode=2)
        plan = Plan(
            url=options["url"],
            admin_key=admin_key,
            agents=options["agents"],
            interval=options["interval"],
            duration=options["duration"],
            joining=options["joining"],
            faults=options["faults"],
            processes=options["processes"],
            stacks=options["stacks"],
            matched=options["matched"],
            object_bytes=options["object_bytes"],
            changes_per_second=options["changes"],
            fault_share=options["fault_share"],
            kill_every=options["kill_every"],
            keep=options["keep"],
            server_pids=options["server_pid"],
            seed=options["seed"],
            rollouts=options["rollouts"],
            soak=options["soak"],
            protocol=options["protocol"],
        )
        try:
            fleet = Fleet(plan, ProgressBar("verifying"))
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        try:
            report = fleet.run()
        except FleetFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(as_json(report.as_data()) if options["json"] else report.as_text())
        if report.violations:
            raise CommandError(f"{len(report.violations)} violations.")


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value


def _faults(text: str) -> tuple[str, ...]:
    faults = tuple(dict.fromkeys(fault.strip() for fault in text.split(",") if fault.strip()))
    if unknown := [fault for fault in faults if fault not in FAULTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is none of {', '.join(FAULTS)}")
    return faults
