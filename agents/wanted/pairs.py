"""Which agents should have which versions, for many pairs at once: of given agents, or of given stacks."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Literal, NamedTuple
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import served_by_agents, serving_stacks
from agents.wanted.versions import later_sql, newest_releases_sql, wanted_sql
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter

_Side = Literal["agents", "stacks"]

# Materialized, because the version of a stack would else be looked up for each of its agents.
_PARTS = """
chosen AS ({chosen}),
served AS ({served}),
unheld AS MATERIALIZED (
    SELECT s.id AS stack_id, {unheld} AS sequence_id FROM stacks s WHERE s.deleted_at IS NULL AND {near}
),
released AS ({released}),
pairs AS (
    SELECT v.agent_id, v.stack_id, {wanted} AS version_id FROM served v
    JOIN unheld u ON u.stack_id = v.stack_id
    JOIN agents a ON a.id = v.agent_id AND a.deleted_at IS NULL
    LEFT JOIN released r ON r.agent_id = v.agent_id AND r.stack_id = v.stack_id
)"""
_ALL = """
WITH {parts}
SELECT p.agent_id, p.stack_id, p.version_id FROM pairs p"""
_VERSIONS = """
WITH {parts}
SELECT p.agent_id, p.stack_id, p.version_id FROM pairs p
WHERE p.version_id IS NOT NULL AND p.agent_id IN (SELECT q.agent_id FROM pairs q WHERE {own})"""


class WantedPair(NamedTuple):
    """An agent, a stack that it serves, and the sequence id of the version of it that the agent should have."""

    agent_id: UUID
    stack_id: UUID
    version_id: int


class WantedVersions(NamedTuple):
    """The sequence ids of the versions that an agent should have of a stack: `now`, and `eventually`, when the holds
    that end by themselves have ended. None if there is no such version.
    """

    now: int | None
    eventually: int | None


Pairs = dict[tuple[UUID, UUID], WantedVersions]


@cache
def pairs_sql(side: _Side, *, registration: bool) -> str:
    """The parts of a WITH that end in the table `pairs` of `agent_id, stack_id, version_id`, which may be NULL.

    It has all pairs in which a live agent serves a live stack, of the agents or of the stacks in the parameter that
    has the name of the side, which `list_parameter` makes.
    """
    if side == "agents":
        chosen = f"SELECT id FROM agents WHERE deleted_at IS NULL AND {among('id', side)}"  # noqa: S608  no input in it
        served = served_by_agents("chosen", registration=registration)
        near = "s.id IN (SELECT stack_id FROM served)"
    else:
        near = among("s.id", side)
        chosen = (
            f"SELECT s.id AS stack_id, s.generator_id FROM stacks s WHERE s.deleted_at IS NULL AND {near}"  # noqa: S608
        )
        served = serving_stacks("chosen", registration=registration)
    return _PARTS.format(
        chosen=chosen,
        served=served,
        unheld=wanted_sql("s.id", None),
        near=near,
        released=newest_releases_sql(pairs="served"),
        wanted=later_sql("u.sequence_id", "r.sequence_id"),
    )


def wanted_pairs(
    *, agent_ids: Collection[UUID] | None, stack_ids: Collection[UUID] | None, ending: Mapping[UUID, int]
) -> Pairs:
    """By agent and stack, for all pairs in which the agent serves the stack and both are live. One query.

    Only pairs of these agents, of these stacks, or of both; one of the two must be given. `ending` has, by stack, the
    newest held version whose holds end by themselves.
    """
    side: _Side = "stacks" if agent_ids is None else "agents"
    ids = stack_ids if agent_ids is None else agent_ids
    if not ids or (stack_ids is not None and not stack_ids):
        return {}
    sql = _ALL.format(parts=pairs_sql(side, registration=settings.REQUIRE_REGISTRATION))
    near = None if stack_ids is None else set(stack_ids)
    found: Pairs = {}
    for agent_id, stack_id, now in fetch_all(sql, {side: list_parameter(ids)}):
        pair = as_uuid(agent_id), as_uuid(stack_id)
        if near is None or pair[1] in near:
            known = [version for version in (now, ending.get(pair[1])) if version is not None]
            found[pair] = WantedVersions(now, max(known, default=None))
    return found


def pairs_of_stacks(stack_ids: Collection[UUID], *, served_too: UUID | None = None) -> list[WantedPair]:
    """The pairs of these live stacks; with `served_too`, only of agents that serve this one of them. One query."""
    if not stack_ids:
        return []
    own = among("q.stack_id", "own") if served_too is not None else "q.stack_id IS NOT NULL"
    sql = _VERSIONS.format(parts=pairs_sql("stacks", registration=settings.REQUIRE_REGISTRATION), own=own)
    parameters = {"stacks": list_parameter(stack_ids)}
    if served_too is not None:
        parameters["own"] = list_parameter([served_too])
    rows = fetch_all(sql, parameters)
    return [WantedPair(as_uuid(agent_id), as_uuid(stack_id), version) for agent_id, stack_id, version in rows]
