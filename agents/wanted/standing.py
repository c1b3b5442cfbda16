"""How an agent stands with a stack, by the wanted version and the agent's report: in Python, in querysets, in SQL.

Only a report on the wanted version itself counts: one on a newer version says nothing of what should be there now.
"""

from enum import StrEnum

from django.db.models import F, Q

from agents.models.event import EventStatus


class Standing(StrEnum):
    APPLIED = "applied"
    FAILING = "failing"
    # Published, and the agent has not said how it went.
    PENDING = "pending"
    # The stack is deleted, or is this agent's no longer, and the agent has not said that it removed what it had
    # deployed.
    REMOVING = "removing"
    # Every version is held, and none is released to the agent.
    HELD = "held"
    # Nothing is published.
    EMPTY = "empty"


def standing_of(wanted: int, reported: int | None, status: str | None) -> Standing:
    """With a stack of which something is wanted. `wanted` and `reported` are sequence ids, `status` is the report's."""
    if reported != wanted:
        return Standing.PENDING
    return Standing.APPLIED if status == EventStatus.SUCCESS else Standing.FAILING


def is_pending(wanted: int | F, *, reported: str) -> Q:
    """A condition on rows with the reported sequence id in the column `reported`, NULL where there is no report."""
    return Q(**{f"{reported}__isnull": True}) | ~Q(**{reported: wanted})


def is_failing(wanted: int | F, *, reported: str, status: str) -> Q:
    """The same for failing; `status` names the column of the report's status."""
    return Q(**{reported: wanted, status: EventStatus.FAILURE})


def is_pending_sql(wanted: str, *, reported: str) -> str:
    """The same for a report that there is: expressions of the wanted and of the reported sequence id."""
    return f"{reported} <> {wanted}"


def is_failing_sql(wanted: str, *, reported: str) -> str:
    """The same for a report that is known to be a failure."""
    return f"{reported} = {wanted}"
