"""`manage.py export_audit`: sealed entries for an auditor."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from audit.exports import export_lines
from core.commands import Answer, ReadingCommand, moment_argument


class Command(ReadingCommand):
    help = (
        "Print sealed entries of the audit log with their seals, one JSON value a line. audit/verify_export.py checks "
        "them without a database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        # Not --json: the lines are JSON, and a further value at the end would be no line of an export.
        parser.set_defaults(json=False)
        parser.add_argument(
            "--since",
            required=True,
            type=moment_argument,
            metavar="TIME",
            help="like 2026-11-01 or 2026-11-01T12:00:00Z; whole seals, from the first one with an entry since then",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        seals = entries = 0
        for line in export_lines(since=options["since"]):
            self.stdout.write(json.dumps(line))
            seals += "seal" in line
            entries += "entry" in line
        self.note(f"Exported {seals} seals with {entries} entries.")
        return Answer(text="", data=None)
