"""How many objects wait for each agent: the length of its incremental target state.

One statement counts for a whole fleet.
"""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import is_owed, served_by_agents
from agents.wanted.versions import later_sql, newest_releases_sql, wanted_sql
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter

# Materialized, because the version of a stack would else be looked up for each of its agents.
_PENDING = """
WITH chosen AS (SELECT id FROM agents WHERE deleted_at IS NULL {among}),
served AS ({served}),
unheld AS MATERIALIZED (
    SELECT s.id AS stack_id, {unheld} AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL AND s.id IN (SELECT stack_id FROM served)
),
released AS ({released})
SELECT w.agent_id, count(*) FROM (
    SELECT v.agent_id FROM served v JOIN unheld n ON n.stack_id = v.stack_id
    LEFT JOIN released r ON r.agent_id = v.agent_id AND r.stack_id = v.stack_id
    JOIN deployment_objects o ON o.sequence_id = {wanted}
    WHERE NOT EXISTS (
        SELECT 1 FROM agent_events e
        WHERE e.deployment_object_id = o.id AND e.agent_id = v.agent_id AND e.deleted_at IS NULL
    )
    UNION ALL
    SELECT d.agent_id FROM chosen c JOIN agent_marker_deliveries d ON d.agent_id = c.id
    JOIN deployment_objects o ON o.sequence_id = d.marker_id WHERE {is_owed}
) w GROUP BY w.agent_id
"""


def pending_object_counts(agent_ids: Sequence[UUID] | None = None) -> dict[UUID, int]:
    """The counts by agent, for `agent_ids` or for all agents. Agents for which nothing waits are left out."""
    if agent_ids is not None and not agent_ids:
        return {}
    statement = _statement(registration=settings.REQUIRE_REGISTRATION, are_all=agent_ids is None)
    rows = fetch_all(statement, {} if agent_ids is None else {"agents": list_parameter(agent_ids)})
    return {as_uuid(agent_id): int(count) for agent_id, count in rows}


@cache
def _statement(*, registration: bool, are_all: bool) -> str:
    return _PENDING.format(
        among="" if are_all else f"AND {among('id', 'agents')}",
        served=served_by_agents("chosen", registration=registration),
        unheld=wanted_sql("s.id", None),
        released=newest_releases_sql(pairs="served"),
        is_owed=is_owed("d.agent_id", registration=registration),
        wanted=later_sql("n.sequence_id", "r.sequence_id"),
    )
