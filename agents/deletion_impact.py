"""The impact of a deletion: how many agents will remove from their clusters what they deployed."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection

from agents.models import Agent
from agents.wanted.legs import is_served
from core.prepared import as_uuid, uuid_parameter

# The marker of a deleted stack is owed to the agents that serve it and were given a version of it; see
# agents/receivers.py.
_REMOVERS = """
WITH chosen AS (SELECT s.id, s.{owner} AS owner FROM stacks s WHERE s.{owner} IN ({places}) AND s.deleted_at IS NULL),
given AS (
    SELECT c.owner, c.id AS stack_id, f.agent_id FROM chosen c JOIN agent_offers f ON f.stack_id = c.id
    UNION SELECT c.owner, c.id, p.agent_id FROM chosen c JOIN agent_stack_reports p ON p.stack_id = c.id
)
SELECT {columns} FROM given r WHERE {is_served} {grouped}
"""


def removers_of_stacks(ids: Sequence[UUID]) -> tuple[dict[UUID, int], int]:
    """By live stack, how many agents will remove it if it is deleted; and how many different agents that are in all."""
    return _removers("id", ids)


def removers_of_generators(ids: Sequence[UUID]) -> tuple[dict[UUID, int], int]:
    """The same for all live stacks of each generator."""
    return _removers("generator_id", ids)


def fleet() -> int:
    """The number of live agents."""
    return Agent.objects.active().count()


def _removers(owner: str, ids: Sequence[UUID]) -> tuple[dict[UUID, int], int]:
    if not ids:
        return {}, 0
    parts = {
        "owner": owner,
        "places": ", ".join(["%s"] * len(ids)),
        "is_served": is_served("r.agent_id", "r.stack_id", registration=settings.REQUIRE_REGISTRATION),
    }
    number = "count(DISTINCT r.agent_id)"
    parameters = cast(Any, [uuid_parameter(each) for each in ids])
    with connection.cursor() as cursor:
        cursor.execute(
            _REMOVERS.format(columns=f"r.owner, {number}", grouped="GROUP BY r.owner", **parts), parameters
        )
        by_owner = {as_uuid(key): count for key, count in cursor.fetchall()}
        cursor.execute(_REMOVERS.format(columns=number, grouped="", **parts), parameters)
        (together,) = cast(tuple[int], cursor.fetchone())
    return by_owner, together
