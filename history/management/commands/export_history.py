"""Writes the past of one agent into a folder for an auditor."""

import argparse
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from agents.errors import AgentNotFound
from agents.models import Agent
from core import clock
from core.commands import Answer, BrokerCommand, fields, uuid_argument
from history.export import export_agent
from history.windows import span


def moment_argument(value: str) -> datetime:
    """An option's moment, with its offset."""
    try:
        moment = parse_datetime(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not a time with its offset, 2026-11-24T02:13:00Z for instance"
        )
    return moment


class Command(BrokerCommand):
    help = (
        "Write what an agent should have had, got and said, and who changed it, into a folder for an auditor. "
        "Also of a deleted agent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--agent", type=uuid_argument, required=True, metavar="ID")
        parser.add_argument(
            "--from", dest="since", type=moment_argument, metavar="TIME", help="default: a day ago"
        )
        parser.add_argument("--to", dest="until", type=moment_argument, metavar="TIME", help="default: now")
        parser.add_argument(
            "--folder", type=Path, required=True, help="where to write; it must be new or empty"
        )
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="write the values of Secrets too; the audit log notes each version",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        agent = Agent.objects.filter(pk=options["agent"]).first()
        if agent is None:
            raise AgentNotFound(id=options["agent"])
        now = clock.now()
        asked = span(options["since"], options["until"], now=now)
        folder: Path = options["folder"]
        try:
            # Only for the one who runs the command: manifests may be confidential.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise CommandError(f"{folder} is not empty.")
            counts = export_agent(
                agent,
                asked,
                folder,
                with_secrets=options["with_secrets"],
                actor=self.actor,
                now=now,
            )
        except OSError as error:
            raise CommandError(f"Cannot write {folder}: {error.strerror}") from error
        shown = {name.replace("_", " ").capitalize(): count for name, count in counts.items()}
        return Answer(
            text=fields({"Folder": folder, "From": asked.since, "Until": asked.until, **shown}),
            data={"folder": str(folder), "from": asked.since, "to": asked.until, **counts},
        )
