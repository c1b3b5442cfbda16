"""How agents stand with stacks, in SQL for many pairs at once: what lists count, and what they filter by.

Silent is what would be pending if the agent were active and heard in time.
"""

from datetime import datetime
from typing import Any, Literal

from agents.models import Agent
from agents.wanted.legs import served_by_agents, serving_stacks
from agents.wanted.versions import later_sql, newest_releases_sql, wanted_sql

_Side = Literal["agents", "stacks"]

# Materialized, because the version of a stack would else be looked up for each of its agents.
_PAIRS = """
chosen AS ({chosen}),
served AS ({served}),
unheld AS MATERIALIZED (
    SELECT s.id AS stack_id, {unheld} AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL AND s.id IN (SELECT stack_id FROM served)
),
released AS ({released}),
heard AS ({heard}),
pairs AS (
    SELECT v.agent_id, v.stack_id, {wanted} AS version_id, r.sequence_id AS reported, r.message, CASE
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
)"""


def heard_sql(now: datetime) -> tuple[str, dict[str, Any]]:
    """SELECT of `id`: the agents that are active and were heard in time, with its parameters by name."""
    agents = Agent.objects.active().working().heard(now).order_by()
    sql, values = agents.values("id").query.sql_with_params()
    names = [f"heard_{number}" for number in range(len(values))]
    return sql % tuple(f"%({name})s" for name in names), dict(zip(names, values, strict=True))


def pair_states_sql(side: _Side, chosen: str, *, registration: bool) -> str:
    """The parts of a WITH that end in the table `pairs`: `agent_id, stack_id, version_id, reported, message, state`.

    It has all pairs in which a live agent serves a live stack, of the agents or of the stacks that `chosen` selects as
    `served_by_agents` or `serving_stacks` take them. `{heard}`, of `heard_sql`, is still to be filled in. The state is
    applied, failing, silent or pending, or `nothing` if no version is wanted.
    """
    served = served_by_agents if side == "agents" else serving_stacks
    return _PAIRS.format(
        chosen=chosen,
        served=served("chosen", registration=registration),
        unheld=wanted_sql("s.id", None),
        released=newest_releases_sql(pairs="served"),
        wanted=later_sql("n.sequence_id", "e.sequence_id"),
        heard="{heard}",
    )
