"""How many agents stand how with a stack, and how many stacks an agent stands how with: numbers for lists.

One statement counts for a page of stacks or of agents.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection

from agents.models import Agent
from agents.wanted.legs import served_by_agents, serving_stacks
from agents.wanted.versions import held_stacks, later_sql, newest_releases_sql, wanted_sql
from core.prepared import as_uuid, uuid_parameter

# Materialized, because the version of a stack would else be looked up for each of its agents.
_COUNTS = """
WITH chosen AS ({chosen}),
served AS ({served}),
unheld AS MATERIALIZED (
    SELECT s.id AS stack_id, {unheld} AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL AND s.id IN (SELECT stack_id FROM served)
),
released AS ({released}),
heard AS ({heard})
SELECT w.owner, w.stack_id, w.state, count(*) FROM (
    SELECT v.{owner} AS owner, {stack} AS stack_id, CASE
        WHEN {wanted} IS NULL THEN 'nothing'
        WHEN r.sequence_id = {wanted} AND r.status = 'SUCCESS' THEN 'applied'
        WHEN r.sequence_id = {wanted} THEN 'failing'
        WHEN heard.id IS NULL THEN 'silent'
        ELSE 'pending' END AS state
    FROM served v JOIN agents a ON a.id = v.agent_id AND a.deleted_at IS NULL
    JOIN unheld n ON n.stack_id = v.stack_id
    LEFT JOIN released e ON e.agent_id = v.agent_id AND e.stack_id = v.stack_id
    LEFT JOIN agent_stack_reports r ON r.agent_id = v.agent_id AND r.stack_id = v.stack_id
    LEFT JOIN heard ON heard.id = v.agent_id
) w GROUP BY w.owner, w.stack_id, w.state
"""
_STACKS = "SELECT id AS stack_id, generator_id FROM stacks WHERE deleted_at IS NULL AND id IN ({among})"
_AGENTS = "SELECT id FROM agents WHERE deleted_at IS NULL AND id IN ({among})"
_WANTED = later_sql("n.sequence_id", "e.sequence_id")


@dataclass(frozen=True, slots=True)
class States:
    """Pairs of an agent and a stack that it serves, by their standing. No pair is counted twice.

    `silent` are those that would be pending if the agent were heard; `held` have no version because each is held,
    `empty` because none is published.
    """

    applied: int = 0
    failing: int = 0
    pending: int = 0
    held: int = 0
    silent: int = 0
    empty: int = 0

    @property
    def total(self) -> int:
        return self.applied + self.failing + self.pending + self.held + self.silent + self.empty


def states_of_stacks(stack_ids: Iterable[UUID], now: datetime) -> dict[UUID, States]:
    """By live stack, how the agents that serve it stand with it. Two queries."""
    return _states("stack_id", list(stack_ids), now)


def states_of_agents(agent_ids: Iterable[UUID], now: datetime) -> dict[UUID, States]:
    """By live agent, how it stands with the stacks that it serves. Two queries."""
    return _states("agent_id", list(agent_ids), now)


def _states(owner: str, ids: list[UUID], now: datetime) -> dict[UUID, States]:
    if not ids:
        return {}
    heard, heard_parameters = _heard(now)
    names = [f"owner_{number}" for number in range(len(ids))]
    among = ", ".join(f"%({name})s" for name in names)
    statement = _statement(owner, settings.REQUIRE_REGISTRATION).format(among=among, heard=heard)
    parameters: dict[str, Any] = {
        **{name: uuid_parameter(each) for name, each in zip(names, ids, strict=True)},
        **heard_parameters,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, cast(Any, parameters))
        rows: list[tuple[Any, Any, str, int]] = cursor.fetchall()
    held = held_stacks({as_uuid(stack_id) for _, stack_id, state, _ in rows if state == "nothing"})
    found = dict.fromkeys(ids, States())
    for owner_id, stack_id, state, count in rows:
        key = as_uuid(owner_id)
        if state == "nothing":
            state = "held" if as_uuid(stack_id) in held else "empty"  # noqa: PLW2901
        found[key] = replace(found[key], **{state: getattr(found[key], state) + int(count)})
    return found


def _heard(now: datetime) -> tuple[str, dict[str, Any]]:
    """The ids of the agents that are active and were heard in time, as a statement with its parameters by name."""
    agents = Agent.objects.active().working().heard(now).order_by()
    sql, values = agents.values("id").query.sql_with_params()
    names = [f"heard_{number}" for number in range(len(values))]
    return sql % tuple(f"%({name})s" for name in names), dict(zip(names, values, strict=True))


@cache
def _statement(owner: str, registration: bool) -> str:  # noqa: FBT001
    """The statement; `among` and `heard` are still to be filled in."""
    of_stacks = owner == "stack_id"
    return _COUNTS.format(
        owner=owner,
        # Of an agent, stacks of which nothing is wanted are told apart one by one.
        stack="v.stack_id" if of_stacks else f"CASE WHEN {_WANTED} IS NULL THEN v.stack_id END",
        chosen=_STACKS if of_stacks else _AGENTS,
        served=serving_stacks("chosen", registration=registration)
        if of_stacks
        else served_by_agents("chosen", registration=registration),
        unheld=wanted_sql("s.id", None),
        released=newest_releases_sql(pairs="served"),
        wanted=_WANTED,
        heard="{heard}",
    )
