"""How an agent stands with a stack, by the wanted version and the agent's report: in Python, in querysets, in SQL.

A report on a newer version than the wanted one counts like a report on it.
"""

from enum import StrEnum

from django.db.models import F, Q

from agents.models.event import EventStatus


class Standing(StrEnum):
    APPLIED = "applied"
    FAILING = "failing"
    # Published, and the agent has not said how it went.
    PENDING = "pending"
    # The stack is deleted, and the agent has not said that it removed what it had deployed.
    REMOVING = "removing"
    # Nothing is published.
    EMPTY = "empty"


def standing_of(wanted: int, reported: int | None, status: str | None) -> Standing:
    """With a stack of which something is wanted. `wanted` and `reported` are sequence ids, `status` is the report's."""
    if reported is None or reported < wanted:
        return Standing.PENDING
    return Standing.APPLIED if status == EventStatus.SUCCESS else Standing.FAILING


def is_pending(wanted: int | F, *, reported: str) -> Q:
    """A condition on rows with the reported sequence id in the column `reported`, NULL where there is no report."""
    return Q(**{f"{reported}__isnull": True}) | Q(**{f"{reported}__lt": wanted})


def is_failing(wanted: int | F, *, reported: str, status: str) -> Q:
    """The same for failing; `status` names the column of the report's status."""
    return Q(**{f"{reported}__gte": wanted, status: EventStatus.FAILURE})


def is_pending_sql(wanted: str, *, reported: str) -> str:
    """The same for a report that there is: expressions of the wanted and of the reported sequence id."""
    return f"{reported} < {wanted}"


def is_failing_sql(wanted: str, *, reported: str) -> str:
    """The same for a report that is known to be a failure."""
    return f"{reported} >= {wanted}"
