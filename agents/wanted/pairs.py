"""What many pairs of an agent and a stack should have, now and later: for plans, which compare before and after."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.conf import settings
from django.db import connection

from agents.wanted.legs import served_by_agents, serving_stacks
from agents.wanted.versions import newest_releases_sql, wanted_sql
from core.prepared import as_uuid, uuid_parameter

_OF_AGENTS = "SELECT id FROM agents WHERE deleted_at IS NULL AND id IN ({agents})"
_OF_STACKS = """
SELECT id AS stack_id, generator_id FROM stacks WHERE deleted_at IS NULL AND id IN ({stacks})"""
_STATEMENT = """
WITH chosen AS ({chosen}),
served AS ({served}),
unheld AS (
    SELECT s.id AS stack_id, {unheld} AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL AND s.id IN (SELECT stack_id FROM served)
),
released AS ({released})
SELECT v.agent_id, v.stack_id, n.sequence_id, r.sequence_id FROM served v
JOIN agents a ON a.id = v.agent_id AND a.deleted_at IS NULL
JOIN unheld n ON n.stack_id = v.stack_id
LEFT JOIN released r ON r.agent_id = v.agent_id AND r.stack_id = v.stack_id
"""


class WantedVersions(NamedTuple):
    """The sequence ids of the versions that an agent should have of a stack: `now`, and `eventually`, when the holds
    that end by themselves have ended. None if there is no such version.
    """

    now: int | None
    eventually: int | None


Pairs = dict[tuple[UUID, UUID], WantedVersions]


def wanted_pairs(
    *, agent_ids: Collection[UUID] | None, stack_ids: Collection[UUID] | None, ending: Mapping[UUID, int]
) -> Pairs:
    """By agent and stack, for all pairs in which the agent serves the stack and both are live. One query.

    Only pairs of these agents, of these stacks, or of both; one of the two must be given. `ending` has, by stack, the
    newest held version whose holds end by themselves.
    """
    if agent_ids is not None:
        rows = _rows("agents", agent_ids)
        near = None if stack_ids is None else set(stack_ids)
        rows = [row for row in rows if near is None or row[1] in near]
    else:
        rows = _rows("stacks", stack_ids or ())
    found: Pairs = {}
    for agent_id, stack_id, unheld, released in rows:
        now = _later(unheld, released)
        found[agent_id, stack_id] = WantedVersions(now, _later(now, ending.get(stack_id)))
    return found


def _rows(side: str, ids: Collection[UUID]) -> list[tuple[UUID, UUID, int | None, int | None]]:
    if not ids:
        return []
    registration = settings.REQUIRE_REGISTRATION
    of_agents = side == "agents"
    chosen = (_OF_AGENTS if of_agents else _OF_STACKS).format(**{side: ", ".join(["%s"] * len(ids))})
    served = served_by_agents if of_agents else serving_stacks
    statement = _STATEMENT.format(
        chosen=chosen,
        served=served("chosen", registration=registration),
        unheld=wanted_sql("s.id", None),
        released=newest_releases_sql(pairs="served"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, cast(Any, [uuid_parameter(each) for each in ids]))
        return [(as_uuid(agent), as_uuid(stack), *rest) for agent, stack, *rest in cursor.fetchall()]


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
