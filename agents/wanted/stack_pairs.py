"""Which agents should have which versions of given stacks."""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import serving_stacks
from agents.wanted.versions import later_sql, newest_releases_sql, wanted_sql
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter

_WITH = """
chosen AS (
    SELECT s.id AS stack_id, s.generator_id, {unheld} AS sequence_id FROM stacks s
    WHERE s.deleted_at IS NULL AND {among}
),
served AS ({served}),
released AS ({released}),
pairs AS (
    SELECT v.agent_id, v.stack_id, {wanted} AS version_id FROM served v
    JOIN chosen c ON c.stack_id = v.stack_id
    JOIN agents a ON a.id = v.agent_id AND a.deleted_at IS NULL
    LEFT JOIN released r ON r.agent_id = v.agent_id AND r.stack_id = v.stack_id
)"""

_PAIRS = """
WITH {parts}
SELECT p.agent_id, p.stack_id, p.version_id FROM pairs p
WHERE p.version_id IS NOT NULL AND p.agent_id IN (SELECT q.agent_id FROM pairs q WHERE {own})"""


class WantedPair(NamedTuple):
    """An agent, a stack that it serves, and the sequence id of the version of it that the agent should have."""

    agent_id: UUID
    stack_id: UUID
    version_id: int


@cache
def pairs_sql(*, registration: bool) -> str:
    """The parts of a WITH that end in the table `pairs` of `agent_id, stack_id, version_id`, which may be NULL.

    It has the live agents that serve the stacks in the parameter %(stacks)s, which `list_parameter` makes.
    """
    return _WITH.format(
        unheld=wanted_sql("s.id", None),
        among=among("s.id", "stacks"),
        served=serving_stacks("chosen", registration=registration),
        released=newest_releases_sql(pairs="served"),
        wanted=later_sql("c.sequence_id", "r.sequence_id"),
    )


def pairs_of_stacks(stack_ids: Collection[UUID], *, served_too: UUID | None = None) -> list[WantedPair]:
    """The pairs of these live stacks; with `served_too`, only of agents that serve this one of them. One query."""
    if not stack_ids:
        return []
    own = among("q.stack_id", "own") if served_too is not None else "q.stack_id IS NOT NULL"
    sql = _PAIRS.format(parts=pairs_sql(registration=settings.REQUIRE_REGISTRATION), own=own)
    parameters = {"stacks": list_parameter(stack_ids)}
    if served_too is not None:
        parameters["own"] = list_parameter([served_too])
    rows = fetch_all(sql, parameters)
    return [WantedPair(as_uuid(agent_id), as_uuid(stack_id), version) for agent_id, stack_id, version in rows]
