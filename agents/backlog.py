"""How many objects wait for each agent: the length of its incremental target state, for a whole fleet in one statement.

It is the rule of targeting.py spelled once more, for all agents at a time, and a test holds the two together.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection

from core.prepared import as_uuid, uuid_parameter

_PENDING = """
WITH chosen AS (SELECT id FROM agents WHERE deleted_at IS NULL {among}),
served AS (
    SELECT t.agent_id, t.stack_id FROM chosen c JOIN agent_targets t ON t.agent_id = c.id
    UNION
    SELECT al.agent_id, sl.stack_id FROM chosen c JOIN agent_labels al ON al.agent_id = c.id
    JOIN stack_labels sl ON sl.label = al.label {registered_label}
    UNION
    SELECT aa.agent_id, sa.stack_id FROM chosen c JOIN agent_annotations aa ON aa.agent_id = c.id
    JOIN stack_annotations sa ON sa.key = aa.key AND sa.value = aa.value {registered_annotation}
),
newest AS (
    SELECT s.id AS stack_id, (
        SELECT o.sequence_id FROM deployment_objects o WHERE o.stack_id = s.id AND o.deleted_at IS NULL
        ORDER BY o.sequence_id DESC LIMIT 1
    ) AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL AND s.id IN (SELECT stack_id FROM served)
)
SELECT w.agent_id, count(*) FROM (
    SELECT v.agent_id FROM served v JOIN newest n ON n.stack_id = v.stack_id
    JOIN deployment_objects o ON o.sequence_id = n.sequence_id
    WHERE NOT EXISTS (
        SELECT 1 FROM agent_events e
        WHERE e.deployment_object_id = o.id AND e.agent_id = v.agent_id AND e.deleted_at IS NULL
    )
    UNION ALL
    SELECT d.agent_id FROM chosen c JOIN agent_marker_deliveries d ON d.agent_id = c.id
) w GROUP BY w.agent_id
"""
_REGISTERED = """
JOIN stacks r{leg} ON r{leg}.id = {leg}.stack_id
JOIN agent_generator_registrations g{leg} ON g{leg}.generator_id = r{leg}.generator_id AND g{leg}.agent_id = c.id
"""


def pending_object_counts(agent_ids: Sequence[UUID] | None = None) -> dict[UUID, int]:
    """By agent, among `agent_ids` or all; an agent for which nothing waits is missing."""
    if agent_ids is not None and not agent_ids:
        return {}
    names = [f"agent_{number}" for number in range(len(agent_ids or ()))]
    among = f"AND id IN ({', '.join(f'%({name})s' for name in names)})" if names else ""
    parameters = {
        name: uuid_parameter(agent_id) for name, agent_id in zip(names, agent_ids or (), strict=True)
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(settings.REQUIRE_REGISTRATION).format(among=among), cast(Any, parameters))
        return {as_uuid(agent_id): int(count) for agent_id, count in cursor.fetchall()}


@cache
def _statement(registration: bool) -> str:  # noqa: FBT001
    return _PENDING.format(
        among="{among}",
        registered_label=_REGISTERED.format(leg="sl") if registration else "",
        registered_annotation=_REGISTERED.format(leg="sa") if registration else "",
    )
