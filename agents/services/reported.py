"""What agents report on, and what they reported before, as far as recording a report needs it."""

from collections.abc import Collection, Set
from dataclasses import dataclass
from functools import cache
from typing import cast
from uuid import UUID

from agents.models import AgentEvent, StackReport
from core.prepared import as_uuid, fetch_all, is_postgresql, uuid_parameter
from core.prepared_rows import among, list_parameter, select_joined


@dataclass(frozen=True, slots=True)
class Subject:
    """A deployment object, live or deleted, that an agent reports on.

    `is_first`: the agent has not reported on its stack before, or not since it removed the stack. Only then the stack
    is locked, and `is_stack_deleted` says whether it is deleted.
    """

    sequence_id: int
    id: UUID
    stack_id: UUID
    is_deletion_marker: bool
    recipient_id: UUID | None
    is_first: bool
    is_stack_deleted: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """By object the agent's latest event about it, and by stack the agent's latest report."""

    events: dict[UUID, AgentEvent]
    reports: dict[UUID, StackReport]


# The stacks are locked before the agent, by id: all code locks in this order. The count makes PostgreSQL lock them
# first.
_SUBJECTS = """
WITH subjects AS (
    SELECT sequence_id, id, stack_id, is_deletion_marker, recipient_id FROM deployment_objects WHERE {among_objects}
), firsts AS (
    SELECT id, deleted_at FROM stacks WHERE id IN (SELECT stack_id FROM subjects) AND (
        NOT EXISTS (SELECT 1 FROM agent_stack_reports r WHERE r.stack_id = stacks.id AND r.agent_id = %(agent)s)
        OR id IN (SELECT stack_id FROM subjects WHERE recipient_id = %(agent)s AND {among_removed})
    ) ORDER BY id {lock}
), reporters AS (
    SELECT id FROM agents
    WHERE id = %(agent)s AND deleted_at IS NULL AND (SELECT count(*) FROM firsts) >= 0 {lock}
)
SELECT s.sequence_id, s.id, s.stack_id, s.is_deletion_marker, s.recipient_id,
    f.id IS NOT NULL, f.deleted_at IS NOT NULL, (SELECT count(*) FROM reporters) > 0
FROM subjects s LEFT JOIN firsts f ON f.id = s.stack_id
"""
# The latest of the agent's events on an object is found with one index look-up.
_EARLIER = """
deployment_objects o
LEFT JOIN agent_stack_reports r ON r.stack_id = o.stack_id AND r.agent_id = %(agent)s
LEFT JOIN agent_events e ON e.id = (
    SELECT x.id FROM agent_events x
    WHERE x.deployment_object_id = o.id AND x.agent_id = %(agent)s AND x.deleted_at IS NULL
    ORDER BY x.created_at DESC, x.id DESC LIMIT 1
)
WHERE {among}
"""


def lock_subjects(
    *, agent_id: UUID, object_ids: Set[UUID], removed: Set[UUID]
) -> tuple[dict[UUID, Subject], bool]:
    """What the agent reports on, by object, and whether the agent lives. Unknown objects are missing.

    Locks the agent, so that its reports and its deletion wait for each other. If it is the agent's first report on a
    stack, the stack is locked too. So a concurrent write that deletes the stack, or takes it from the agent, either
    sees the report or is seen by it. For the stacks of markers for the agent in `removed`, which it reports to have
    obeyed, the next report counts as a first one.
    """
    parameters = {
        "agent": uuid_parameter(agent_id),
        "objects": list_parameter(object_ids),
        "removed": list_parameter(removed),
    }
    subjects, is_alive = {}, False
    for sequence_id, object_id, stack_id, is_marker, recipient_id, *facts in fetch_all(
        _subjects(), parameters
    ):
        is_first, is_deleted, is_alive = map(bool, facts)
        subject = Subject(
            sequence_id,
            as_uuid(object_id),
            as_uuid(stack_id),
            bool(is_marker),
            None if recipient_id is None else as_uuid(recipient_id),
            is_first,
            is_deleted,
        )
        subjects[subject.id] = subject
    return subjects, is_alive


def earlier_reports(*, agent_id: UUID, object_ids: Collection[UUID]) -> Earlier:
    """What the locked agent reported on these objects and on their stacks before."""
    parameters = {"agent": uuid_parameter(agent_id), "objects": list_parameter(object_ids)}
    found = select_joined({"e": AgentEvent, "r": StackReport}, _earlier(), parameters)
    events, reports = cast(list[AgentEvent], found["e"]), cast(list[StackReport], found["r"])
    return Earlier(
        {event.deployment_object_id: event for event in events},
        {report.stack_id: report for report in reports},
    )


@cache
def _subjects() -> str:
    return _SUBJECTS.format(
        among_objects=among("id", "objects"),
        among_removed=among("id", "removed"),
        lock="FOR NO KEY UPDATE" if is_postgresql() else "",
    )


@cache
def _earlier() -> str:
    return _EARLIER.format(among=among("o.id", "objects"))
