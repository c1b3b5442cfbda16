"""Writes the whole database to a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import Answer, ReadingCommand
from server.backups import make_backup


class Command(ReadingCommand):
    help = "Write the whole database to a new file while the broker runs, and read it back. It holds all manifests."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)

    def perform(self, options: Mapping[str, Any]) -> Answer:
        file = options["file"].absolute()
        size = make_backup(file)
        return Answer(text=f"{file}: {size} bytes, read back.", data={"file": str(file), "bytes": size})
