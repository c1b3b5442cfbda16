"""`manage.py create_agent`: makes an agent."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agents.services.agents import create_agent
from core.commands import VIA, Answer, BrokerCommand, fields, text_argument, uuids_argument
from core.errors import UniqueViolation
from generators.models import Generator
from paks.look_ups import newest_pak_of
from paks.models import Role


class Command(BrokerCommand):
    help = "Create an agent and print its key, once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, type=text_argument)
        parser.add_argument("--cluster-name", required=True, type=text_argument)
        parser.add_argument(
            "--generator-ids",
            type=uuids_argument,
            default=[],
            metavar="ID[,ID…]",
            help="generators to register the agent with, beside the system generator",
        )
        parser.add_argument(
            "--active", action="store_true", help="let it work at once; a new agent is INACTIVE otherwise"
        )
        parser.add_argument(
            "--label", action="append", default=[], type=text_argument, help="a label; may be repeated"
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        name, cluster_name = options["name"], options["cluster_name"]
        labels = list(dict.fromkeys(options["label"]))
        try:
            agent, key = create_agent(
                name=name,
                cluster_name=cluster_name,
                generator_ids=options["generator_ids"],
                labels=labels,
                is_active=options["active"],
                actor=self.actor,
                via=VIA,
            )
        except UniqueViolation as error:
            raise CommandError(f"There is an agent {name!r} in cluster {cluster_name!r} already.") from error
        pak = newest_pak_of(role=Role.AGENT, subject_id=agent.id)
        generators = list(Generator.objects.filter(registrations__agent=agent).order_by("-is_system", "name"))
        return Answer(
            text="Agent created.\n"
            + fields(
                {
                    "ID": agent.id,
                    "Name": agent.name,
                    "Cluster": agent.cluster_name,
                    "Status": agent.status,
                    "Labels": ", ".join(labels) or None,
                    "Initial PAK": key,
                    "Registered generators": ", ".join(f"{each.name} ({each.id})" for each in generators),
                }
            ),
            data={
                "id": agent.id,
                "name": agent.name,
                "cluster_name": agent.cluster_name,
                "status": agent.status,
                "labels": labels,
                "generator_ids": [each.id for each in generators],
                "pak": key,
                "pak_id": pak.id,
                "pak_hash": pak.key_hash,
            },
        )
