"""Which version of a stack an agent should have: the newest live one that is not held, or is released to the agent.

A marker for one agent does not count as a version: it is never wanted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Exists, Max, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce

from agents.models import Agent, VersionHold, VersionRelease
from stacks.models import DeploymentObject, Stack
from stacks.querysets import DeploymentObjectQuerySet

# A scalar subquery is one index look-up for each stack; with a join, the planner may hash all stacks or group all
# objects. The statement asks only once whether any version is held at all. Usually none is, and then a version costs
# no further look-up.
_WANTED = """(
    SELECT {columns} FROM deployment_objects o WHERE o.stack_id = {stack} AND o.deleted_at IS NULL
    AND o.recipient_id IS NULL{living}
    AND (NOT (SELECT EXISTS (SELECT 1 FROM object_holds)) OR {is_for_agent})
    ORDER BY o.sequence_id DESC LIMIT 1)"""
_LIVING = "\n    AND EXISTS (SELECT 1 FROM stacks os WHERE os.id = {stack} AND os.deleted_at IS NULL)"
_NOT_HELD = "NOT EXISTS (SELECT 1 FROM object_holds oh WHERE oh.version_id = o.sequence_id)"
_RELEASED = """ OR EXISTS (
    SELECT 1 FROM object_releases oe WHERE oe.version_id = o.sequence_id AND oe.agent_id = {agent})"""
# Few versions are held, and few stacks have any, so the query begins at them and goes on to their releases.
_HELD = """
SELECT DISTINCT ho.stack_id, ho.sequence_id FROM object_holds hh
JOIN deployment_objects ho ON ho.sequence_id = hh.version_id AND ho.deleted_at IS NULL AND ho.recipient_id IS NULL"""
_NEWEST_RELEASES = """
SELECT re.agent_id, h.stack_id, max(h.sequence_id) AS sequence_id
FROM ({held}) h JOIN object_releases re ON re.version_id = h.sequence_id
GROUP BY re.agent_id, h.stack_id"""
_NEWEST_RELEASES_AMONG = """
SELECT re.agent_id, h.stack_id, max(h.sequence_id) AS sequence_id
FROM ({held}) h JOIN {pairs} hp ON hp.stack_id = h.stack_id
JOIN object_releases re ON re.version_id = h.sequence_id AND re.agent_id = hp.agent_id
GROUP BY re.agent_id, h.stack_id"""

# Each stack's version is looked up once, however many agents serve it.
_CURRENT = """
WITH unheld AS (SELECT s.id AS stack_id, {unheld} AS sequence_id FROM stacks s WHERE s.deleted_at IS NULL)
SELECT u.sequence_id FROM unheld u WHERE u.sequence_id IS NOT NULL
UNION SELECT r.sequence_id FROM ({releases}) r JOIN unheld u ON u.stack_id = r.stack_id
WHERE u.sequence_id IS NULL OR r.sequence_id > u.sequence_id"""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that some agent should have."""

    sequence_id: int
    published_at: datetime


def wanted_sql(
    stack: str, agent: str | None, *, columns: str = "o.sequence_id", check_stack: bool = False
) -> str:
    """A scalar subquery: the version of the stack in the column `stack` that the agent in the column `agent` should
    have, or NULL. Without an agent, the version that everybody should have.

    `columns` names what it selects from the version `o`. With `check_stack`, a deleted stack has no version; without
    it, the outer statement has to leave out deleted stacks.
    """
    released = _RELEASED.format(agent=agent) if agent else ""
    return _WANTED.format(
        stack=stack,
        columns=columns,
        living=_LIVING.format(stack=stack) if check_stack else "",
        is_for_agent=_NOT_HELD + released,
    )


def newest_releases_sql(*, pairs: str | None = None) -> str:
    """SELECT of `agent_id, stack_id, sequence_id`: the newest held version of the stack that is released to the agent.

    It is for statements about many pairs. Together with the version that everybody should have, looked up once for each
    stack, and with `later_sql`, it gives the same as `wanted_sql` for each pair. It is empty if nothing is held.
    `pairs` is the name of a table of `agent_id, stack_id` that limits the answer to these pairs. The version may be
    older than the one that everybody should have.
    """
    if pairs is None:
        return _NEWEST_RELEASES.format(held=_HELD)
    return _NEWEST_RELEASES_AMONG.format(held=_HELD, pairs=pairs)


def held_stacks_sql() -> str:
    """SELECT of the ids of the stacks that have a held version."""
    return f"SELECT hs.stack_id FROM ({_HELD}) hs"  # noqa: S608  no input in it


def current_sql() -> str:
    """SELECT of `sequence_id`: each version of a live stack that some agent would want if it served the stack."""
    return _CURRENT.format(unheld=wanted_sql("s.id", None), releases=newest_releases_sql())


def later_sql(one: str, other: str) -> str:
    """The later of two sequence ids, either of which may be NULL."""
    return f"CASE WHEN {one} IS NULL OR {other} > {one} THEN {other} ELSE {one} END"


def wanted_of(stack: OuterRef, agent: OuterRef | UUID | None) -> Subquery:
    """The same as `wanted_sql` for a queryset: the sequence id of the version, or NULL."""
    return Subquery(_for_agent(agent).filter(stack=stack).newest_first().values("sequence_id")[:1])


def wanted_object(stack: Stack, agent: Agent) -> DeploymentObject | None:
    """The version of one stack that the agent should have, without its YAML. For a deleted stack, it is the marker."""
    return _for_agent(agent.pk).filter(stack=stack).newest_first().defer("yaml_content").first()


def newest_unheld(stack_id: UUID) -> DeploymentObject | None:
    """The version of one stack that everybody should have, without its YAML."""
    return _for_agent(None).filter(stack=stack_id).newest_first().defer("yaml_content").first()


def held_versions(stack_id: UUID | None = None) -> DeploymentObjectQuerySet:
    """The live versions that are held, of one stack or of all stacks."""
    rows: DeploymentObjectQuerySet = DeploymentObject.objects.versions().filter(_is_held())
    return rows if stack_id is None else rows.filter(stack=stack_id)


def held_stacks(stack_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these stacks that have a held version."""
    return set(held_versions().filter(stack__in=list(stack_ids)).values_list("stack_id", flat=True))


def holders_of_unproven(stack_id: UUID, newer_than: int) -> Any:
    """The ids of the agents to which a held version of the stack, newer than this sequence id, is released."""
    held = held_versions(stack_id).filter(pk__gt=newer_than)
    return VersionRelease.objects.filter(version__in=held).values_list("agent_id", flat=True).distinct()


def versions_of_agent(agent_id: UUID, stack_ids: Iterable[UUID]) -> dict[UUID, Version]:
    """By stack, the version that the agent should have. Stacks without one are left out. One query."""
    wanted = Stack.objects.filter(pk__in=list(stack_ids)).values(wanted=wanted_of(OuterRef("pk"), agent_id))
    rows = DeploymentObject.objects.filter(pk__in=wanted).values_list("stack_id", "pk", "created_at")
    return {stack_id: Version(sequence_id, at) for stack_id, sequence_id, at in rows}


def versions_of_stack(stack_id: UUID, agent_ids: Collection[UUID]) -> dict[UUID, Version]:
    """By agent, the version of the stack that it should have. Agents without one are left out. Two queries."""
    newest = newest_unheld(stack_id)
    found = {}
    if newest is not None:
        found = dict.fromkeys(agent_ids, Version(newest.pk, newest.created_at))
    held = held_versions(stack_id).filter(pk__gt=newest.pk if newest else 0)
    releases = VersionRelease.objects.filter(version__in=held, agent__in=agent_ids).order_by("version")
    for agent_id, sequence_id, at in releases.values_list("agent_id", "version_id", "version__created_at"):
        found[agent_id] = Version(sequence_id, at)
    return found


def with_wanted(agents: Any, stack: Stack) -> Any:
    """The agents with `wanted`: the sequence id of the version of this stack that each should have, or NULL."""
    newest = newest_unheld(stack.pk)
    sequence_id = newest.pk if newest else None
    held = list(held_versions(stack.pk).filter(pk__gt=sequence_id or 0).values_list("pk", flat=True))
    released = VersionRelease.objects.filter(version__in=held, agent=OuterRef("pk")).order_by()
    latest = released.values("agent").values(latest=Max("version"))
    # The cast is needed because PostgreSQL takes a NULL without a type for a text.
    unheld = Cast(Value(sequence_id), BigIntegerField())
    return agents.annotate(wanted=Coalesce(Subquery(latest), unheld) if held else unheld)


def _for_agent(agent: OuterRef | UUID | None) -> DeploymentObjectQuerySet:
    """Live versions that are not held, or that are released to the agent."""
    is_for_agent = ~_is_held()
    if agent is not None:
        of_agent = agent if isinstance(agent, UUID) else OuterRef(agent)
        is_for_agent |= Q(Exists(VersionRelease.objects.filter(version=OuterRef("pk"), agent=of_agent)))
    rows: DeploymentObjectQuerySet = DeploymentObject.objects.versions().filter(is_for_agent)
    return rows


def _is_held() -> Q:
    return Q(Exists(VersionHold.objects.filter(version=OuterRef("pk"))))
