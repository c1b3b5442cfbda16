"""The base of our commands: an actor, one answer as text or JSON, refusals as errors with an exit code.

Exit codes: 0 done, 1 refused or failed (nothing was changed), 2 wrong usage, 75 the database cannot be used now.
"""

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import transaction

from core.database_errors import cannot_be_used, unusable_sentence
from core.errors import DomainError
from core.events import ADMIN_TYPE, Actor
from core.validators import MAX_REASON, is_reason

# What the log of changes says of the way a change came in.
VIA = "cli"
# EX_TEMPFAIL of sysexits.h: the same command may succeed later.
DATABASE_UNUSABLE = 75
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_DIGEST = re.compile("[0-9A-Fa-f]{64}")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class UsageError(CommandError):
    """The options do not fit together."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command prints on stdout: `text` for people, `data` for scripts. May hold a secret, so no repr."""

    text: str = field(repr=False)
    data: object = field(repr=False)


class BrokerCommand(BaseCommand):
    """A command that changes something, in one transaction. The transaction ends after the answer has been printed, so
    that a key that could not be shown does not exist.
    """

    changes: ClassVar[bool] = True
    # Of Django, they are about code: its tests have made them, and they would load all routes.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the answer as one JSON value")

    def perform(self, options: Mapping[str, Any]) -> Answer:
        """Make the change, by a service, and return the answer. Refusals may be raised as they are."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django passes both
        around: AbstractContextManager[object] = transaction.atomic() if self.changes else nullcontext()
        try:
            with around:
                answer = self.perform(options)
                self._print(as_json(answer.data) if options["json"] else answer.text)
        except DomainError as refusal:
            raise CommandError(_sentence(refusal)) from refusal
        except DatabaseError as error:
            if not cannot_be_used(error):
                raise
            raise CommandError(unusable_sentence(error), returncode=DATABASE_UNUSABLE) from error

    @property
    def actor(self) -> Actor:
        return command_actor(self)

    def note(self, text: str) -> None:
        """Print a note for people on stderr; it is no part of the answer."""
        self.stderr.write(text, lambda plain: plain)

    def _print(self, text: str) -> None:
        if not text:
            return
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except OSError as error:
            raise CommandError(f"The answer cannot be printed ({error}), so nothing was changed.") from error


def command_actor(command: BaseCommand) -> Actor:
    """Whoever may run commands is an admin; the label says which command it was."""
    return Actor(type=ADMIN_TYPE, label=f"command {type(command).__module__.rpartition('.')[2]}")


class ReadingCommand(BrokerCommand):
    """A command that changes nothing."""

    changes: ClassVar[bool] = False


def text_argument(value: str) -> str:
    """An option's text, which the database can hold."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError("not valid UTF-8") from error
    if "\0" in value:
        raise argparse.ArgumentTypeError("NUL characters are not allowed")
    return value


def reason_argument(value: str) -> str:
    """An option's reason, which goes into the audit log."""
    if not is_reason(text_argument(value)):
        raise argparse.ArgumentTypeError(f"say why, in 1 to {MAX_REASON} characters")
    return value


def uuid_argument(value: str) -> UUID:
    """An option's UUID."""
    try:
        return UUID(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is not a UUID") from error


def uuids_argument(value: str) -> list[UUID]:
    """An option's UUIDs, separated by commas."""
    return [uuid_argument(item.strip()) for item in value.split(",") if item.strip()]


def words_argument(value: str) -> list[str]:
    """An option's words, separated by commas."""
    return [item.strip() for item in text_argument(value).split(",") if item.strip()]


def digest_argument(value: str) -> str:
    """An option's SHA-256 or public key: 64 hex digits, in lower case as the broker writes them."""
    if not _DIGEST.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value!r} is not 64 hex digits")
    return value.lower()


def duration_argument(value: str) -> timedelta:
    """An option's length of time: a whole number and its unit, `90s`, `30m`, `12h` or `7d`."""
    found = _DURATION.fullmatch(value)
    if found is None:
        raise argparse.ArgumentTypeError(f"{value!r} is not a length of time like 30m, 12h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment_argument(value: str) -> datetime:
    """An option's moment in ISO 8601, a date, whose beginning is meant, or a date and time; UTC without an offset."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        # The latter for what its offset moves out of the years 1 to 9999.
        raise argparse.ArgumentTypeError(_no_moment(value)) from error


def end_argument(value: str) -> datetime:
    """The same for a moment at which something ends: of a date, its end is meant."""
    moment = moment_argument(value)
    if not _is_date(value):
        return moment
    try:
        return moment + timedelta(days=1)
    except OverflowError as error:
        raise argparse.ArgumentTypeError(_no_moment(value)) from error


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _no_moment(value: str) -> str:
    return f"{value!r} is not a date like 2027-03-31 or a time like 2027-03-31T12:00:00Z"


def fields(pairs: Mapping[str, object]) -> str:
    """One `Label: value` line for each, with aligned values."""
    width = max(len(label) for label in pairs) + 1
    return "\n".join(f"{label + ':':<{width}} {_cell(value)}" for label, value in pairs.items())


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns for people, as wide as their longest value."""
    cells = [list(headings), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def as_json(data: object) -> str:
    """Ids as text, times as the API writes them."""
    return json.dumps(data, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = "-" if value is None else str(value)
    # A line break or an escape sequence in a name must not draw over the terminal.
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _sentence(refusal: DomainError) -> str:
    details = ", ".join(f"{name}: {value}" for name, value in refusal.details.items())
    return f"{refusal.text} ({refusal.code}{'; ' + details if details else ''})"
