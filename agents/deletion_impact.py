"""How many agents a deletion touches: those that will remove from their clusters what they had deployed."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection

from agents.models import Agent
from agents.wanted.legs import is_served
from core.prepared import as_uuid, uuid_parameter

# A deleted stack's marker is owed to the agents that have reported on it and serve it: agents/receivers.py.
_REMOVERS = """
SELECT s.{owner}, count(DISTINCT r.agent_id) FROM stacks s JOIN agent_stack_reports r ON r.stack_id = s.id
WHERE s.{owner} IN ({places}) AND s.deleted_at IS NULL AND {is_served} GROUP BY s.{owner}
"""
_ALL_REMOVERS = """
SELECT count(DISTINCT r.agent_id) FROM stacks s JOIN agent_stack_reports r ON r.stack_id = s.id
WHERE s.{owner} IN ({places}) AND s.deleted_at IS NULL AND {is_served}
"""


def removers_of_stacks(ids: Sequence[UUID]) -> tuple[dict[UUID, int], int]:
    """By live stack, how many agents will remove it when it is deleted; and how many agents that are together."""
    return _removers("id", ids)


def removers_of_generators(ids: Sequence[UUID]) -> tuple[dict[UUID, int], int]:
    """The same for all live stacks of each generator."""
    return _removers("generator_id", ids)


def fleet() -> int:
    """How many live agents there are."""
    return Agent.objects.active().count()


def _removers(owner: str, ids: Sequence[UUID]) -> tuple[dict[UUID, int], int]:
    if not ids:
        return {}, 0
    parts = {
        "owner": owner,
        "places": ", ".join(["%s"] * len(ids)),
        "is_served": is_served("r.agent_id", "s.id", registration=settings.REQUIRE_REGISTRATION),
    }
    parameters = cast(Any, [uuid_parameter(each) for each in ids])
    with connection.cursor() as cursor:
        cursor.execute(_REMOVERS.format(**parts), parameters)
        by_owner = {as_uuid(key): count for key, count in cursor.fetchall()}
        cursor.execute(_ALL_REMOVERS.format(**parts), parameters)
        (together,) = cast(tuple[int], cursor.fetchone())
    return by_owner, together
