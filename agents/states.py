"""How many agents stand how with a stack, and how many stacks an agent stands how with: numbers for lists.

One statement counts for a page of stacks or of agents.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import serving_stacks
from agents.wanted.pair_states import heard_sql, pair_states_sql
from agents.wanted.versions import held_stacks
from core.prepared import as_uuid, fetch_planned
from core.prepared_rows import among, list_parameter

_COUNTS = """
WITH {pairs}
SELECT w.owner, w.stack_id, w.state, count(*) FROM (
    SELECT p.{owner} AS owner, {stack} AS stack_id, p.state FROM pairs p
) w GROUP BY w.owner, w.stack_id, w.state
"""
_SERVING = """
WITH chosen AS ({stacks}), served AS ({served})
SELECT v.stack_id, count(*) FROM served v JOIN agents a ON a.id = v.agent_id AND a.deleted_at IS NULL
GROUP BY v.stack_id
"""
_STACKS = "SELECT id AS stack_id, generator_id FROM stacks WHERE deleted_at IS NULL AND {among}"
_AGENTS = "SELECT id FROM agents WHERE deleted_at IS NULL AND {among}"


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


def serving_counts(stack_ids: Iterable[UUID]) -> dict[UUID, int]:
    """By live stack, how many live agents serve it; those that nobody serves are left out. One query."""
    sql = _SERVING.format(
        stacks=_STACKS.format(among=among("id", "owners")),
        served=serving_stacks("chosen", registration=settings.REQUIRE_REGISTRATION),
    )
    rows = fetch_planned(sql, {"owners": list_parameter(list(stack_ids))})
    return {as_uuid(stack_id): count for stack_id, count in rows}


def _states(owner: str, ids: list[UUID], now: datetime) -> dict[UUID, States]:
    if not ids:
        return {}
    heard, heard_parameters = heard_sql(now)
    statement = _statement(owner, settings.REQUIRE_REGISTRATION).format(heard=heard)
    rows = fetch_planned(statement, {"owners": list_parameter(ids), **heard_parameters})
    held = held_stacks({as_uuid(stack_id) for _, stack_id, state, _ in rows if state == "nothing"})
    found = dict.fromkeys(ids, States())
    for owner_id, stack_id, state, count in rows:
        key = as_uuid(owner_id)
        if state == "nothing":
            state = "held" if as_uuid(stack_id) in held else "empty"  # noqa: PLW2901
        found[key] = replace(found[key], **{state: getattr(found[key], state) + int(count)})
    return found


@cache
def _statement(owner: str, registration: bool) -> str:  # noqa: FBT001
    """The statement; `heard` is still to be filled in."""
    chosen = among("id", "owners")
    of_stacks = owner == "stack_id"
    pairs = (
        pair_states_sql("stacks", _STACKS.format(among=chosen), registration=registration)
        if of_stacks
        else pair_states_sql("agents", _AGENTS.format(among=chosen), registration=registration)
    )
    return _COUNTS.format(
        pairs=pairs,
        owner=owner,
        # Of an agent, stacks of which nothing is wanted are told apart one by one.
        stack="p.stack_id" if of_stacks else "CASE WHEN p.version_id IS NULL THEN p.stack_id END",
    )
