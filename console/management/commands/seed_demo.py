"""A fleet to look at."""

import argparse
from collections.abc import Mapping
from threading import Event
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agents.models import Agent
from console.demo.context import Size
from console.demo.life import keep_alive, living
from console.demo.seed import LAST_PHASE, seed
from core.commands import Answer, BrokerCommand, fields
from core.progress import ProgressBar
from generators.models import Generator
from generators.services import ADMIN_NAME
from stacks.models import Stack


class Command(BrokerCommand):
    help = (
        "Fill the database with a believable fleet: generators, agents, stacks with a month of versions, reports, "
        "failures, silence, templates, work orders, webhooks and diagnostics. Refuses where there is already "
        "something, unless told otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--agents", type=_positive, default=200)
        parser.add_argument("--stacks", type=_positive, default=60)
        parser.add_argument("--versions", type=_positive, default=6, help="of each stack, on average")
        parser.add_argument("--work-orders", type=_positive, default=60)
        parser.add_argument("--seed", type=int, default=1, help="for the same choices in another run")
        parser.add_argument(
            "--beside-other-data",
            action="store_true",
            help="add to what is there; names that are taken still refuse",
        )

        parser.add_argument(
            "--alive",
            action="store_true",
            help="then let the agents go on sending heartbeats, until this is interrupted; beside a fleet that is "
            "there already it only does this",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        if options["alive"] and _has_data():
            return self._live()
        if not options["beside_other_data"] and _has_data():
            raise CommandError(
                "The database has agents, stacks or generators already, and a demonstration among them would be hard "
                "to take out again. Use an empty one, or say --beside-other-data."
            )
        size = Size(options["agents"], options["stacks"], options["versions"], options["work_orders"])
        seed(size=size, chance_seed=options["seed"], actor=self.actor, progress=ProgressBar(LAST_PHASE))
        if options["alive"]:
            self._live()
        made = {"Agents": size.agents, "Stacks": size.stacks, "Work orders": size.work_orders}
        return Answer(
            text=f"The fleet is there.\n{fields(made)}",
            data={"agents": size.agents, "stacks": size.stacks, "work_orders": size.work_orders},
        )

    def _live(self) -> Answer:
        agents = living()
        self.stderr.write(f"{len(agents)} agents send heartbeats. Ctrl+C ends it.")
        try:
            keep_alive(agents, Event().wait)
        except KeyboardInterrupt:
            self.stderr.write("")
        return Answer(text=f"{len(agents)} agents were kept alive.", data={"agents": len(agents)})


def _has_data() -> bool:
    # What `bootstrap` makes is no data: the system generator, and the one for administrators.
    generators = Generator.objects.owners().exclude(name=ADMIN_NAME)
    return Agent.objects.exists() or Stack.objects.exists() or generators.exists()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
