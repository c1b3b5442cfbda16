"""Which changes may be news to which waiting agents: read from the audit log, which has every change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import serving_stacks
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter

# The number of the latest change, for the statement of a look. An agent that waits names the one it has seen.
LATEST = "SELECT max(sequence) FROM audit_logs"
# What these say changes neither what an agent should have nor what waits for it. Who works on an order that was
# cancelled hears of it when it renews its claim.
_NO_NEWS = (
    "agent.recovered",
    "agent.silent",
    "attempt.",
    "audit.",
    "auth.",
    "bulk_job.",
    "deployment.revealed",
    "diagnostic.c",
    "freeze.started",
    "generator.created",
    "health.",
    "pak.",
    "plan.",
    "rollout_strategy.",
    "site_",
    "stack.created",
    "stack.strategy_",
    "template.",
    "webhook.",
    "workorder.ca",
    "workorder.claimed",
    "workorder.completed",
    "workorder.failed",
)
# More changes at once are taken as news to everybody: to find out who they are about would take longer.
_MOST_CHANGES = 500
# A "%" stands twice beside parameters.
_IS_NEWS = " AND ".join(f"action NOT LIKE '{start}%%'" for start in _NO_NEWS)
_SINCE = f"""
SELECT l.latest, c.sequence, c.resource_type, c.resource_id, c.stack_id, c.agent_id
FROM (SELECT max(sequence) AS latest FROM audit_logs) l LEFT JOIN (
    SELECT sequence, resource_type, resource_id, details ->> 'stack_id' AS stack_id, details ->> 'agent_id' AS agent_id
    FROM audit_logs WHERE sequence > %(seen)s AND {_IS_NEWS} ORDER BY sequence DESC LIMIT {_MOST_CHANGES}
) c ON 1 = 1
"""  # noqa: S608  no input in it
# Those that serve the stacks now, and those that must remove them.
_CONCERNED = """
WITH c AS (SELECT s.id AS stack_id, s.generator_id FROM stacks s WHERE {stacks})
SELECT agent_id, stack_id FROM ({serving}) m
UNION
SELECT d.agent_id, o.stack_id FROM c JOIN deployment_objects o ON o.stack_id = c.stack_id AND o.is_deletion_marker
JOIN agent_marker_deliveries d ON d.marker_id = o.sequence_id
"""


@dataclass(frozen=True, slots=True)
class News:
    """The number of the latest change of all, of the latest that may be news to everybody, and of the latest that may
    be news to some agents, by their ids. A change that is not there is 0.
    """

    latest: int = 0
    for_all: int = 0
    for_agents: Mapping[UUID, int] = field(default_factory=dict)


def news_since(seen: int) -> News:
    """What has changed after the change with this number. `latest` is below it if that change is not there, for
    instance after a restore.
    """
    rows = fetch_all(_SINCE, {"seen": seen})
    latest = rows[0][0] or 0
    changes = [row[1:] for row in rows if row[1] is not None]
    if len(changes) >= _MOST_CHANGES:
        return News(latest, latest)
    for_all = 0
    for_agents: dict[UUID, int] = {}
    by_stack: dict[UUID, int] = {}
    for sequence, resource_type, resource_id, stack_id, agent_id in changes:
        # The agent in the details of a work order is who had it; now others may.
        agent = {"agent": resource_id, "diagnostic": agent_id}.get(resource_type)
        stack = resource_id if resource_type == "stack" else stack_id
        if agent is not None:
            _note(for_agents, agent, sequence)
        elif stack is not None:
            _note(by_stack, stack, sequence)
        else:
            for_all = max(for_all, sequence)
    for concerned, stack in _concerned(by_stack):
        _note(for_agents, concerned, by_stack[stack])
    return News(latest, for_all, for_agents)


def _note(latest: dict[UUID, int], about: Any, sequence: int) -> None:
    key = as_uuid(about)
    latest[key] = max(latest.get(key, 0), sequence)


def _concerned(stack_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """The pairs of an agent and one of these stacks that a change of the stack may concern."""
    if not stack_ids:
        return []
    statement = _CONCERNED.format(
        stacks=among("s.id", "stacks"),
        serving=serving_stacks("c", registration=settings.REQUIRE_REGISTRATION),
    )
    rows = fetch_all(statement, {"stacks": list_parameter(stack_ids)})
    return [(as_uuid(agent_id), as_uuid(stack_id)) for agent_id, stack_id in rows]
