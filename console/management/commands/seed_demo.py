"""A fleet to look at."""

import argparse
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agents.models import Agent
from console.demo.context import Size
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

    def perform(self, options: Mapping[str, Any]) -> Answer:
        if not options["beside_other_data"] and _has_data():
            raise CommandError(
                "The database has agents, stacks or generators already, and a demonstration among them would be hard "
                "to take out again. Use an empty one, or say --beside-other-data."
            )
        size = Size(options["agents"], options["stacks"], options["versions"], options["work_orders"])
        seed(size=size, chance_seed=options["seed"], actor=self.actor, progress=ProgressBar(LAST_PHASE))
        made = {"Agents": size.agents, "Stacks": size.stacks, "Work orders": size.work_orders}
        return Answer(
            text=f"The fleet is there.\n{fields(made)}",
            data={"agents": size.agents, "stacks": size.stacks, "work_orders": size.work_orders},
        )


def _has_data() -> bool:
    # What `bootstrap` makes is no data: the system generator, and the one for administrators.
    generators = Generator.objects.owners().exclude(name=ADMIN_NAME)
    return Agent.objects.exists() or Stack.objects.exists() or generators.exists()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
