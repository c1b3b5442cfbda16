"""Which deployments of the whole fleet need attention now, for the first page that an operator sees.

The rows of each answer, and the rows read for it, are limited, so that the page works when the whole fleet fails.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.conf import settings

from agents.deployments import Deployment
from agents.models import Agent, MarkerDelivery
from agents.sought import Sought
from agents.wanted.legs import is_served, serving_stacks
from agents.wanted.pair_states import heard_sql, pair_states_sql
from agents.wanted.standing import Standing, is_failing_sql, is_pending_sql
from agents.wanted.versions import held_stacks_sql, later_sql, newest_releases_sql, wanted_sql
from core import clock
from core.prepared import Row, as_time, as_uuid, fetch_planned, is_postgresql
from core.prepared_rows import among, list_parameter
from stacks.models import Stack

# A stack on which an agent has never reported counts as pending only if its version is one of this many newest ones
# and not older than this. To find all of them, we would have to match the whole fleet with all stacks.
FIRST_DELIVERIES_OF = 200
FIRST_DELIVERY_WITHIN = timedelta(days=1)
# How many reports are looked at, the latest first. They include reports of agents that no longer serve the stack.
CANDIDATES = 20_000
# How many agents that were not heard in time are looked at, those that fell silent last first, and how many stacks of
# which every version is held.
OWNERS = 1_000

# Each stack's version is looked up once, however many agents fail with it. `latest` has no more columns than the answer
# needs, because with messages it may not fit into memory.
_FAILING = """
WITH latest AS MATERIALIZED (
    SELECT f.agent_id, f.stack_id, f.sequence_id{{columns}} FROM agent_stack_reports f
    WHERE f.status = 'FAILURE' AND {{about}} ORDER BY f.since DESC, f.id DESC LIMIT %(candidates)s
),
newest AS MATERIALIZED (
    SELECT s.id AS stack_id, {unheld} AS sequence_id
    FROM stacks s WHERE s.deleted_at IS NULL AND s.id IN (SELECT l.stack_id FROM latest l)
)
SELECT {{shown}}
FROM latest r JOIN newest n ON n.stack_id = r.stack_id
LEFT JOIN ({released}) e ON e.agent_id = r.agent_id AND e.stack_id = r.stack_id
WHERE {is_failing} AND {is_served}
{{order}}"""
_ONE_BY_ONE = {
    "columns": ", f.since, f.message, f.id",
    "shown": "r.agent_id, r.stack_id, r.since, r.sequence_id, r.sequence_id, r.message, (SELECT count(*) FROM latest)",
    "order": "ORDER BY r.since DESC, r.id DESC LIMIT %(limit)s",
}
_BY_MESSAGE = {
    "columns": ", f.since, f.message, f.reported_at, {is_named} AS is_named",
    "shown": "r.stack_id, r.sequence_id, r.message, r.is_named, count(*), min(r.since), max(r.since), "
    "max(r.reported_at), (SELECT count(*) FROM latest)",
    "order": "GROUP BY r.stack_id, r.sequence_id, r.message, r.is_named",
}
# Counts reports without asking for each whether the agent serves the stack, which is most of the work.
_FAILING_VERSIONS = """
WITH failing AS MATERIALIZED (
    SELECT f.stack_id, f.sequence_id, count(*) AS agents, max(f.since) AS latest
    FROM agent_stack_reports f WHERE f.status = 'FAILURE' AND {about} GROUP BY f.stack_id, f.sequence_id
)
SELECT v.stack_id, v.sequence_id, v.agents, v.latest
FROM failing v JOIN stacks s ON s.id = v.stack_id AND s.deleted_at IS NULL
WHERE v.sequence_id = {unheld} OR EXISTS (SELECT 1 FROM object_releases e WHERE e.version_id = v.sequence_id)
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
        {reported} UNION ALL
        SELECT tied.agent_id, tied.stack_id, recent.sequence_id, NULL, NULL
        FROM tied JOIN recent ON recent.stack_id = tied.stack_id
        WHERE NOT EXISTS (SELECT 1 FROM agent_stack_reports x
                          WHERE x.agent_id = tied.agent_id AND x.stack_id = tied.stack_id)
        AND NOT EXISTS (SELECT 1 FROM released e
                        WHERE e.agent_id = tied.agent_id AND e.stack_id = tied.stack_id)
    ) p WHERE p.agent_id IN ({{heard}})
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
            FROM newest n {reports}
            WHERE NOT EXISTS (SELECT 1 FROM released e
                              WHERE e.agent_id = l.agent_id AND e.stack_id = n.stack_id)"""
# PostgreSQL takes a third of all reports to be on older versions, so for a join it would read and sort them all. With
# LATERAL and OFFSET it does one index look-up for each stack.
_REPORTS = {
    True: """CROSS JOIN LATERAL (
                SELECT i.agent_id, i.sequence_id, i.message FROM agent_stack_reports i
                WHERE i.stack_id = n.stack_id AND i.sequence_id {compared} n.sequence_id OFFSET 0) l""",
    False: "JOIN agent_stack_reports l ON l.stack_id = n.stack_id AND l.sequence_id {compared} n.sequence_id",
}
_RELEASED = """
            SELECT e.agent_id, e.stack_id, e.sequence_id AS sequence_id, l.sequence_id AS reported, l.message
            FROM released e
            LEFT JOIN agent_stack_reports l ON l.agent_id = e.agent_id AND l.stack_id = e.stack_id
            WHERE l.id IS NULL OR {is_pending}"""

# From a few agents or stacks on, and with the rule by which lists count.
_UNHEARD = """
SELECT a.id FROM agents a JOIN agent_heartbeats b ON b.agent_id = a.id
WHERE a.deleted_at IS NULL AND a.id NOT IN ({heard})
ORDER BY b.last_heartbeat IS NULL, b.last_heartbeat DESC, a.id LIMIT %(owners)s"""
_SILENT = """
WITH {pairs}
SELECT p.agent_id, p.stack_id, (SELECT o.created_at FROM deployment_objects o WHERE o.sequence_id = p.version_id),
       p.version_id, p.reported, p.message
FROM (
    SELECT * FROM pairs WHERE state = 'silent' ORDER BY version_id DESC, agent_id LIMIT %(limit)s
) p ORDER BY p.version_id DESC, p.agent_id
"""
_HELD_STACKS = """
SELECT s.id AS stack_id, s.generator_id FROM stacks s
WHERE s.deleted_at IS NULL AND s.id IN ({held}) AND {unheld} IS NULL ORDER BY s.id DESC LIMIT %(owners)s"""
_HELD = """
WITH {pairs}
SELECT p.agent_id, p.stack_id, NULL, NULL, p.reported, p.message FROM pairs p WHERE p.state = 'nothing'
ORDER BY p.stack_id DESC, p.agent_id LIMIT %(limit)s
"""

# A condition that lets all reports through.
_ALL = "TRUE"
_OWNERS = "SELECT DISTINCT p.{column} FROM ({deployments}) p"


class Failure(NamedTuple):
    """Agents whose wanted version of a stack fails with the same message."""

    stack_id: UUID
    sequence_id: int
    message: str | None
    # Whether these agents, or the stack, were found by their names.
    is_named: bool
    agents: int
    # When the first and the last of them began to fail, and when the failure was last reported.
    first: datetime
    latest: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """Failing deployments by what they say, in no order, and whether it is known that there are no others."""

    rows: Sequence[Failure]
    is_all: bool


@dataclass(frozen=True, slots=True)
class FailingVersion:
    """A version that some agent may want and that fails: at most on so many agents, on the last since `latest`."""

    stack_id: UUID
    sequence_id: int
    agents: int
    latest: datetime


def failing_versions(sought: Sought) -> list[FailingVersion]:
    """All versions on which there are failures that the condition of `sought` lets through, in no order. One query."""
    condition, values = sought.condition()
    sql = _FAILING_VERSIONS.format(unheld=wanted_sql("s.id", None), about=condition)
    return [
        FailingVersion(as_uuid(stack_id), number, agents, as_time(latest))
        for stack_id, number, agents, latest in fetch_planned(sql, values)
    ]


def failures(versions: Collection[FailingVersion], sought: Sought) -> Failures:
    """The failing deployments of these versions that the condition of `sought` lets through. One query.

    If there are CANDIDATES of them or more, the latest.
    """
    condition, values = sought.condition()
    values |= {
        "candidates": CANDIDATES,
        # The stacks too, for the index begins with them.
        "stacks": list_parameter({version.stack_id for version in versions}),
        "versions": list_parameter([version.sequence_id for version in versions]),
    }
    sql = _failing(settings.REQUIRE_REGISTRATION).format(
        columns=_BY_MESSAGE["columns"].format(is_named=sought.is_named()),
        shown=_BY_MESSAGE["shown"],
        order=_BY_MESSAGE["order"],
        about=f"{among('f.stack_id', 'stacks')} AND {among('f.sequence_id', 'versions')} AND {condition}",
    )
    rows = fetch_planned(sql, values)
    found = [
        Failure(
            as_uuid(stack_id),
            number,
            message,
            bool(is_named),
            agents,
            as_time(first),
            as_time(latest),
            as_time(last_seen),
        )
        for stack_id, number, message, is_named, agents, first, latest, last_seen, _ in rows
    ]
    return Failures(found, is_all=not rows or rows[0][-1] < CANDIDATES)


def owners(standing: Standing, column: Literal["agent_id", "stack_id"]) -> list[UUID]:
    """The agents, or the stacks, of the deployments in this standing, up to CANDIDATES of them. One query.

    For failing, pending, silent and held.
    """
    parameters: dict[str, Any] = {}
    if standing == Standing.FAILING:
        sql = _failing(settings.REQUIRE_REGISTRATION).format(
            columns="", about=_ALL, shown=f"DISTINCT r.{column}", order=""
        )
    else:
        heard, parameters = heard_sql(clock.now())
        deployments = _statements(settings.REQUIRE_REGISTRATION)[standing].format(heard=heard)
        sql = _OWNERS.format(column=column, deployments=deployments)
    rows = fetch_planned(sql, {**_parameters(CANDIDATES), **parameters})
    return [as_uuid(owner) for (owner,) in rows]


def failing(*, limit: int) -> list[Deployment]:
    """The deployments whose wanted version failed, the latest failure first.

    Three queries; four if most of the latest reports are of agents that no longer serve the stack.
    """
    sql = _failing(settings.REQUIRE_REGISTRATION).format(**_ONE_BY_ONE, about=_ALL)
    for candidates in (2 * limit, CANDIDATES):
        rows = fetch_planned(sql, {"limit": limit, "candidates": candidates})
        if len(rows) == limit or (rows and rows[0][-1] < candidates):
            break
    return _told(Standing.FAILING, rows)


def pending(*, limit: int) -> list[Deployment]:
    """The deployments whose agent is heard and has not reported on the wanted version, the newest version first.

    Three queries. An agent is heard if it is active and its last heartbeat is in time.
    """
    return _deployments(Standing.PENDING, limit)


def silent(*, limit: int) -> list[Deployment]:
    """The deployments that wait for an agent that is not active, or was not heard in time, the newest version first.

    Three queries.
    """
    return _deployments(Standing.SILENT, limit)


def held(*, limit: int) -> list[Deployment]:
    """The deployments of which every version is held back. Three queries."""
    return _deployments(Standing.HELD, limit)


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
        "owners": OWNERS,
        "recent": FIRST_DELIVERIES_OF,
        "after": clock.now() - FIRST_DELIVERY_WITHIN,
    }


def _deployments(standing: Standing, limit: int) -> list[Deployment]:
    heard, parameters = heard_sql(clock.now())
    sql = _statements(settings.REQUIRE_REGISTRATION)[standing].format(heard=heard)
    return _told(standing, fetch_planned(sql, {**_parameters(limit), **parameters}))


def _told(standing: Standing, rows: Sequence[Row]) -> list[Deployment]:
    """The rows as deployments. Two queries."""
    agent_ids: list[UUID] = [as_uuid(row[0]) for row in rows]
    stack_ids: list[UUID] = [as_uuid(row[1]) for row in rows]
    agents, stacks = Agent.objects.in_bulk(agent_ids), Stack.objects.in_bulk(stack_ids)
    return [
        Deployment(agents[agent_id], stacks[stack_id], standing, as_time(since), newest, reported, message)
        for agent_id, stack_id, (_, _, since, newest, reported, message, *_) in zip(
            agent_ids, stack_ids, rows, strict=True
        )
    ]


@cache
def _failing(registration: bool) -> str:  # noqa: FBT001
    """The statement for failures. `columns`, `about`, `shown` and `order` are still to be filled in."""
    return _FAILING.format(
        is_served=is_served("r.agent_id", "r.stack_id", registration=registration),
        unheld=wanted_sql("s.id", None),
        released=newest_releases_sql(pairs="latest"),
        is_failing=is_failing_sql(later_sql("n.sequence_id", "e.sequence_id"), reported="r.sequence_id"),
    )


@cache
def _statements(registration: bool) -> Mapping[Standing, str]:  # noqa: FBT001
    """The statement for each standing but failing. `heard` is still to be filled in."""
    reports = _REPORTS[is_postgresql()]
    reported = (
        _REPORTS_ON_OTHERS.format(reports=reports.format(compared="<")),
        _REPORTS_ON_OTHERS.format(reports=reports.format(compared=">")),
        _RELEASED.format(is_pending=is_pending_sql("e.sequence_id", reported="l.sequence_id")),
    )
    return {
        Standing.PENDING: _PENDING.format(
            unheld=wanted_sql("s.id", None),
            released=newest_releases_sql(),
            reported=_CANDIDATES.format(
                pairs=" UNION ALL ".join(reported),
                is_served=is_served("r.agent_id", "r.stack_id", registration=registration),
            ),
            tied=serving_stacks("recent", registration=registration),
        ),
        Standing.SILENT: _SILENT.format(pairs=pair_states_sql("agents", _UNHEARD, registration=registration)),
        Standing.HELD: _HELD.format(
            pairs=pair_states_sql(
                "stacks",
                _HELD_STACKS.format(held=held_stacks_sql(), unheld=wanted_sql("s.id", None)),
                registration=registration,
            )
        ),
    }
