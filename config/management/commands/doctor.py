"""`manage.py doctor`: says what is wrong with this installation, before its users do."""

from collections.abc import Mapping
from typing import Any

from django.core.checks import ERROR, WARNING, CheckMessage
from django.core.management.base import CommandError, CommandParser

from config.reports import as_row
from core.commands import Answer, ReadingCommand, as_json
from core.installation_checks import findings, registered_checks

_FAIL_LEVELS = {"WARNING": WARNING, "ERROR": ERROR}


class Command(ReadingCommand):
    help = (
        "Look for what is wrong with this installation. Run it where the broker runs, with its environment. "
        "Exit codes: 0 nothing is wrong, or warnings only; 1 something is; 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--fail-level",
            choices=list(_FAIL_LEVELS),
            default="ERROR",
            help="exit with 1 from this level on (default: ERROR)",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        found = findings()
        data = [as_row(message) for message in found]
        text = (
            "\n".join(_lines(message) for message in found)
            or f"{len(registered_checks())} checks found nothing."
        )
        wrong = sum(message.level >= _FAIL_LEVELS[options["fail_level"]] for message in found)
        if wrong:
            self.stdout.write(as_json(data) if options["json"] else text)
            raise CommandError(f"{wrong} of these must be put right.")
        return Answer(text=text, data=data)


def _lines(message: CheckMessage) -> str:
    row = as_row(message)
    return f"{row['level']}: {row['message']} ({row['check']})\n    {row['hint']}"
