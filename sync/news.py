"""Which changes may be news to which waiting agents: read from the audit log, which has every change."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import serving_stacks
from core.prepared import as_uuid, database_vendor, fetch_all
from core.prepared_rows import among, list_parameter
from sync.snapshot import NUMBER, SELECT, Snapshot, snapshot_of
from workorders.claiming_agents import agents_for_orders

# What these say changes neither what an agent should have nor what waits for it. Who works on an order that was
# cancelled hears of it when it renews its claim; an order that is to be tried again becomes due by the clock. The
# stacks of a generator that is deleted are deleted one by one.
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
    "generator.",
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
    "workorder.retry",
)
# More changes at once are taken as news to everybody: to find out who they are about would take longer.
_MOST_CHANGES = 500
# A "%" stands twice beside parameters.
_IS_NEWS = " AND ".join(f"action NOT LIKE '{start}%%'" for start in _NO_NEWS)
_COLUMNS = """
    {number} AS number, resource_type, resource_id,
    details ->> 'stack_id' AS stack_id, details ->> 'agent_id' AS agent_id
"""
# A dump that was restored into another server has numbers that this one has not reached.
_REACHED = {
    "postgresql": "AND transaction_number < pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    "sqlite": "",
}
# Two ranges of the index, so that the plan cannot be to read the whole log.
_SINCE = """
WITH late AS (
    SELECT {columns} FROM audit_logs WHERE {was_running} AND {is_news} LIMIT {most}
), latest AS (
    SELECT {columns} FROM audit_logs WHERE {number} >= %(following)s {reached} AND {is_news}
    ORDER BY {number} DESC LIMIT {most}
)
SELECT s.seen, c.* FROM ({seen}) s LEFT JOIN (SELECT * FROM late UNION ALL SELECT * FROM latest) c ON 1 = 1
"""
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
    """What was seen now, and the numbers of changes that may be news to everybody, or to an agent by its id.

    `is_incomplete` tells that there were too many to be named.
    """

    seen: Snapshot
    for_all: Collection[int] = ()
    for_agents: Mapping[UUID, Collection[int]] = field(default_factory=dict)
    is_incomplete: bool = False


def news_since(seen: Snapshot) -> News:
    """The changes that are not in a snapshot. What is seen now may be less, for instance after a restore."""
    parameters = {"following": seen.following, "running": list_parameter(sorted(seen.running))}
    rows = fetch_all(_since(database_vendor()), parameters)
    now = snapshot_of(rows[0][0])
    changes = [row[1:] for row in rows if row[1] is not None]
    if len(changes) >= _MOST_CHANGES:
        return News(now, is_incomplete=True)
    for_all: set[int] = set()
    for_agents: defaultdict[UUID, set[int]] = defaultdict(set)
    by_stack: defaultdict[UUID, set[int]] = defaultdict(set)
    by_order: defaultdict[UUID, set[int]] = defaultdict(set)
    for number, resource_type, resource_id, stack_id, agent_id in changes:
        # The agent in the details of a work order is who had it; now others may.
        agent = {"agent": resource_id, "diagnostic": agent_id}.get(resource_type)
        stack = resource_id if resource_type == "stack" else stack_id
        if agent is not None:
            for_agents[as_uuid(agent)].add(number)
        elif resource_type == "work_order":
            by_order[as_uuid(resource_id)].add(number)
        elif stack is not None:
            by_stack[as_uuid(stack)].add(number)
        else:
            for_all.add(number)
    for concerned, stack_id in _concerned(by_stack):
        for_agents[concerned] |= by_stack[stack_id]
    for concerned, order_id in agents_for_orders(by_order):
        for_agents[concerned] |= by_order[order_id]
    return News(now, for_all, for_agents)


@cache
def _since(vendor: str) -> str:
    number = NUMBER[vendor]
    return _SINCE.format(
        columns=_COLUMNS.format(number=number),
        number=number,
        seen=SELECT[vendor],
        reached=_REACHED[vendor],
        was_running=among(number, "running"),
        is_news=_IS_NEWS,
        most=_MOST_CHANGES,
    )


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
