"""Checks of an installation: what is wrong with it, before its users notice. Apps register theirs in `<app>/wiring.py`.

The findings are Django's check messages. They are no checks of Django, which would run at every command.
"""

from collections.abc import Callable, Iterable

from django.core.checks import CheckMessage, Error
from django.db import Error as DatabaseError
from django.db import connection

from core.database_errors import cannot_be_used, unusable_sentence

Check = Callable[[], Iterable[CheckMessage]]
_of_process: list[Check] = []
_of_database: list[Check] = []


def register_process_check(check: Check) -> Check:
    """`check` looks at settings, the environment and this machine; it does not ask the database."""
    _of_process.append(check)
    return check


def register_database_check(check: Check) -> Check:
    """`check` asks the database. It does not run when the database cannot be used."""
    _of_database.append(check)
    return check


def registered_checks() -> list[Check]:
    """All checks, in the order in which they run."""
    return [*_of_process, *_of_database]


def findings() -> list[CheckMessage]:
    """What all checks found, the worst first. A database that cannot be used is a finding, not an exception."""
    found = [message for check in _of_process for message in check()]
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        found.append(_unusable(error))
    else:
        unusable: DatabaseError | None = None
        for check in _of_database:
            try:
                found += check()
            except DatabaseError as error:
                if not cannot_be_used(error):
                    raise
                unusable = unusable or error
        if unusable is not None:
            found.append(_unusable(unusable))
    return sorted(found, key=lambda message: -message.level)


def _unusable(error: DatabaseError) -> CheckMessage:
    return Error(
        unusable_sentence(error),
        hint="What must be asked of the database was not looked at: run this again when it answers.",
        id="brokkr.database_unusable",
    )
