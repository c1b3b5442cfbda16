"""Puts a backup in the place of the database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core import clock
from core.commands import Answer, ReadingCommand
from rollouts.services.control import pause_all
from rollouts.services.transitions import Cause
from server.backups import restore_backup


class Command(ReadingCommand):
    help = "Put a backup in the place of the database, migrate it and pause all rollouts. Stop web and worker before."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="give up what the database holds now")

    def perform(self, options: Mapping[str, Any]) -> Answer:
        restore_backup(options["file"].absolute(), replace=options["replace"])
        paused = pause_all(
            reason="The database was restored from a backup.",
            cause=Cause.RESTORED,
            actor=self.actor,
            now=clock.now(),
        )
        return Answer(text=f"Restored. Paused {paused} rollouts.", data={"paused_rollouts": paused})
