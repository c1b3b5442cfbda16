"""How an agent stands with a stack, by the wanted version and the agent's report: for Python, querysets and SQL.

Only a report on the wanted version counts. A report on a newer version says nothing about what should be there now.
"""

from enum import StrEnum

from django.db.models import F, Q

from agents.models.event import EventStatus


class Standing(StrEnum):
    APPLIED = "applied"
    FAILING = "failing"
    # A version is wanted, and the agent has not reported on it.
    PENDING = "pending"
    # Pending, and the agent is not active or was not heard in time. `standing_of` does not know.
    SILENT = "silent"
    # The stack is deleted, or the agent no longer serves it, and the agent has not reported that it removed what it
    # deployed.
    REMOVING = "removing"
    # Every version is held, and none is released to the agent.
    HELD = "held"
    # No version is published.
    EMPTY = "empty"


def standing_of(wanted: int, reported: int | None, status: str | None) -> Standing:
    """The standing with a stack of which a version is wanted.

    `wanted` and `reported` are sequence ids, `status` is the status of the report.
    """
    if reported != wanted:
        return Standing.PENDING
    return Standing.APPLIED if status == EventStatus.SUCCESS else Standing.FAILING


def is_pending(wanted: int | F, *, reported: str) -> Q:
    """A condition on rows whose column `reported` is the reported sequence id, or NULL if there is no report."""
    return Q(**{f"{reported}__isnull": True}) | ~Q(**{reported: wanted})


def is_failing(wanted: int | F, *, reported: str, status: str) -> Q:
    """The same for failing; `status` names the column of the report's status."""
    return Q(**{reported: wanted, status: EventStatus.FAILURE})


def is_pending_sql(wanted: str, *, reported: str) -> str:
    """The same in SQL, for a report that exists. The arguments are expressions for the two sequence ids."""
    return f"{reported} <> {wanted}"


def is_failing_sql(wanted: str, *, reported: str) -> str:
    """The condition for failing in SQL, for a report that is known to be a failure."""
    return f"{reported} = {wanted}"
