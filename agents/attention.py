"""Which deployments of the whole fleet need attention now, for the first page that an operator sees.

The rows of each answer, and the rows read for it, are limited, so that the page works when the whole fleet fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast
from uuid import UUID

from django.conf import settings
from django.db import connection

from agents.deployments import Deployment
from agents.models import Agent, MarkerDelivery
from agents.wanted.legs import is_served, serving_stacks
from agents.wanted.standing import Standing, is_failing_sql, is_pending_sql
from agents.wanted.versions import newest_releases_sql, wanted_sql
from core import clock
from core.prepared import as_time, as_uuid
from stacks.models import Stack

# A stack on which an agent has never reported counts as pending only if its version is one of this many newest ones
# and not older than this. To find all of them, we would have to match the whole fleet with all stacks.
FIRST_DELIVERIES_OF = 200
FIRST_DELIVERY_WITHIN = timedelta(days=1)
# How many reports are looked at, the latest first. They include reports of agents that no longer serve the stack.
CANDIDATES = 20_000

_FAILING = """
SELECT r.agent_id, r.stack_id, r.since, r.sequence_id, r.sequence_id, r.message, r.reported_at
FROM (
    SELECT f.agent_id, f.stack_id, f.since, f.sequence_id, f.message, f.reported_at, f.id FROM agent_stack_reports f
    WHERE f.status = 'FAILURE' ORDER BY f.since DESC, f.id DESC LIMIT %(candidates)s
) r JOIN stacks s ON s.id = r.stack_id AND s.deleted_at IS NULL
WHERE {is_served} AND {is_failing}
ORDER BY r.since DESC, r.id DESC LIMIT %(limit)s
"""
# The time of publication is looked up only for the few rows of the answer. If it were joined earlier, the planner
# would read all versions to find the newest.
_PENDING = """
WITH newest AS MATERIALIZED (
    SELECT s.id AS stack_id, s.generator_id, {unheld} AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL
),
released AS MATERIALIZED (
    SELECT e.agent_id, e.stack_id, e.sequence_id FROM ({released}) e JOIN newest n ON n.stack_id = e.stack_id
    WHERE n.sequence_id IS NULL OR e.sequence_id > n.sequence_id
),
recent AS MATERIALIZED (
    SELECT n.stack_id, n.generator_id, n.sequence_id FROM newest n WHERE n.sequence_id IN (
        SELECT l.sequence_id FROM (
            SELECT o.sequence_id, o.created_at FROM deployment_objects o WHERE o.recipient_id IS NULL
            ORDER BY o.sequence_id DESC LIMIT %(recent)s
        ) l WHERE l.created_at > %(after)s)
),
tied AS ({tied})
SELECT q.agent_id, q.stack_id,
       (SELECT o.created_at FROM deployment_objects o WHERE o.sequence_id = q.sequence_id),
       q.sequence_id, q.reported, q.message
FROM (
    SELECT p.agent_id, p.stack_id, p.sequence_id, p.reported, p.message
    FROM (
        {on_older} UNION ALL {on_newer} UNION ALL {of_released} UNION ALL
        SELECT tied.agent_id, tied.stack_id, recent.sequence_id, NULL, NULL
        FROM tied JOIN recent ON recent.stack_id = tied.stack_id
        WHERE NOT EXISTS (SELECT 1 FROM agent_stack_reports x
                          WHERE x.agent_id = tied.agent_id AND x.stack_id = tied.stack_id)
        AND NOT EXISTS (SELECT 1 FROM released e
                        WHERE e.agent_id = tied.agent_id AND e.stack_id = tied.stack_id)
    ) p JOIN agents a ON a.id = p.agent_id AND a.deleted_at IS NULL AND a.status = 'ACTIVE'
    ORDER BY p.sequence_id DESC, p.agent_id LIMIT %(limit)s
) q ORDER BY q.sequence_id DESC, q.agent_id
"""
_CANDIDATES = """
        SELECT r.agent_id, r.stack_id, r.sequence_id, r.reported, r.message
        FROM ({pairs} ORDER BY sequence_id DESC LIMIT %(candidates)s) r WHERE {is_served}"""
# Where the agent wants the version that everybody wants. The index of reports can search for older and for newer
# sequence ids, but not for different ones.
_REPORTS_ON_OTHERS = """
            SELECT l.agent_id, n.stack_id, n.sequence_id AS sequence_id, l.sequence_id AS reported, l.message
            FROM newest n JOIN agent_stack_reports l
              ON l.stack_id = n.stack_id AND l.sequence_id {compared} n.sequence_id
            WHERE NOT EXISTS (SELECT 1 FROM released e
                              WHERE e.agent_id = l.agent_id AND e.stack_id = l.stack_id)"""
_RELEASED = """
            SELECT e.agent_id, e.stack_id, e.sequence_id AS sequence_id, l.sequence_id AS reported, l.message
            FROM released e
            LEFT JOIN agent_stack_reports l ON l.agent_id = e.agent_id AND l.stack_id = e.stack_id
            WHERE l.id IS NULL OR {is_pending}"""

# Reading 20,000 rows with their times takes longer than the statement.
_PAIRS = "SELECT p.agent_id, p.stack_id FROM ({deployments}) p"


@dataclass(frozen=True, slots=True)
class Failure:
    """An agent's report that its wanted version of a stack failed, without reading either."""

    agent_id: UUID
    stack_id: UUID
    # Since when it has failed, and when that was last reported.
    since: datetime
    last_seen: datetime
    sequence_id: int
    message: str | None


def failures() -> list[Failure]:
    """The failing deployments, the latest failure first, up to CANDIDATES of them. One query."""
    statement = _statements(settings.REQUIRE_REGISTRATION)[0]
    return [
        Failure(as_uuid(row[0]), as_uuid(row[1]), since, last_seen, row[3], row[5])
        for row in _rows(statement, _parameters(CANDIDATES))
        if (since := as_time(row[2])) is not None and (last_seen := as_time(row[6])) is not None
    ]


def pairs(standing: Literal[Standing.FAILING, Standing.PENDING]) -> list[tuple[UUID, UUID]]:
    """The agent and the stack of each deployment in this standing, up to CANDIDATES of them. One query."""
    statements = _statements(settings.REQUIRE_REGISTRATION)
    sql = statements[0] if standing == Standing.FAILING else statements[1]
    rows = _rows(_PAIRS.format(deployments=sql), _parameters(CANDIDATES))
    return [(as_uuid(agent_id), as_uuid(stack_id)) for agent_id, stack_id in rows]


def failing(*, limit: int) -> list[Deployment]:
    """The deployments whose wanted version failed, the latest failure first. Three queries."""
    return _deployments(_statements(settings.REQUIRE_REGISTRATION)[0], _parameters(limit), Standing.FAILING)


def pending(*, limit: int) -> list[Deployment]:
    """The deployments whose active agent has not reported on the wanted version, the newest version first.

    Three queries.
    """
    return _deployments(_statements(settings.REQUIRE_REGISTRATION)[1], _parameters(limit), Standing.PENDING)


def removing(*, limit: int) -> list[Deployment]:
    """The deleted stacks that an active agent has not reported as removed, the latest deletion first. One query."""
    rows = (
        MarkerDelivery.objects.filter(agent__in=Agent.objects.active().working())
        .select_related("agent", "marker__stack")
        .defer("marker__yaml_content")
        .order_by("-created_at", "-id")[:limit]
    )
    return [
        Deployment(row.agent, row.marker.stack, Standing.REMOVING, row.created_at, row.marker_id)
        for row in rows
    ]


def _parameters(limit: int) -> dict[str, object]:
    return {
        "limit": limit,
        "candidates": CANDIDATES,
        "recent": FIRST_DELIVERIES_OF,
        "after": clock.now() - FIRST_DELIVERY_WITHIN,
    }


def _deployments(sql: str, parameters: Mapping[str, object], standing: Standing) -> list[Deployment]:
    rows = _rows(sql, parameters)
    agent_ids: list[UUID] = [as_uuid(row[0]) for row in rows]
    stack_ids: list[UUID] = [as_uuid(row[1]) for row in rows]
    agents, stacks = Agent.objects.in_bulk(agent_ids), Stack.objects.in_bulk(stack_ids)
    return [
        Deployment(agents[agent_id], stacks[stack_id], standing, as_time(since), newest, reported, message)
        for agent_id, stack_id, (_, _, since, newest, reported, message, *_) in zip(
            agent_ids, stack_ids, rows, strict=True
        )
    ]


def _rows(sql: str, parameters: Mapping[str, object]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, cast(Any, parameters))
        return list(cursor.fetchall())


@cache
def _statements(registration: bool) -> tuple[str, str]:  # noqa: FBT001
    """The statement for failing deployments and the one for pending deployments."""
    served = is_served("r.agent_id", "r.stack_id", registration=registration)
    failing_statement = _FAILING.format(
        is_served=served,
        is_failing=is_failing_sql(wanted_sql("r.stack_id", "r.agent_id"), reported="r.sequence_id"),
    )
    of_released = _RELEASED.format(is_pending=is_pending_sql("e.sequence_id", reported="l.sequence_id"))
    pending_statement = _PENDING.format(
        unheld=wanted_sql("s.id", None),
        released=newest_releases_sql(),
        on_older=_CANDIDATES.format(pairs=_REPORTS_ON_OTHERS.format(compared="<"), is_served=served),
        on_newer=_CANDIDATES.format(pairs=_REPORTS_ON_OTHERS.format(compared=">"), is_served=served),
        of_released=_CANDIDATES.format(pairs=of_released, is_served=served),
        tied=serving_stacks("recent", registration=registration),
    )
    return failing_statement, pending_statement
