"""What was wanted at a moment of the past: the same statements, over the tables as they were at that moment.

A statement that begins with `tables_at` reads, under the names of the tables, what was in them then. So the rule is
written once, and a change of the rule changes its past too. Settings have no history: those of today count.
"""

from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from agents.errors import MomentNotKnown
from agents.wanted.legs import is_owed, serving_stacks
from agents.wanted.versions import wanted_sql
from core.history import kept_since
from core.prepared import as_uuid, fetch_all, uuid_parameter

_WAS_THERE = "added_at <= %(at)s AND (removed_at IS NULL OR removed_at > %(at)s)"
# A resource keeps its row when it is deleted. What was deleted later is not deleted at the moment.
_DELETED_AT = "CASE WHEN deleted_at > %(at)s THEN NULL ELSE deleted_at END AS deleted_at"
_TABLES = {
    "agents": "SELECT id, {deleted_at} FROM {schema}agents WHERE created_at <= %(at)s",
    "agent_targets": "SELECT agent_id, stack_id FROM agent_target_history WHERE {was_there}",
    "agent_labels": "SELECT agent_id, label FROM agent_label_history WHERE {was_there}",
    "agent_annotations": "SELECT agent_id, key, value FROM agent_annotation_history WHERE {was_there}",
    "agent_generator_registrations": """
        SELECT agent_id, generator_id FROM agent_registration_history WHERE {was_there}""",
    "agent_marker_deliveries": """
        SELECT agent_id, marker_id FROM agent_marker_delivery_history WHERE {was_there}""",
    "stack_labels": "SELECT stack_id, label FROM stack_label_history WHERE {was_there}",
    "stack_annotations": "SELECT stack_id, key, value FROM stack_annotation_history WHERE {was_there}",
    "stacks": """
        SELECT s.id, o.generator_id, s.deleted_at FROM (
            SELECT id, {deleted_at} FROM {schema}stacks WHERE created_at <= %(at)s
        ) s LEFT JOIN (SELECT stack_id, generator_id FROM stack_owner_history WHERE {was_there}) o
        ON o.stack_id = s.id""",
    # In two parts, so that the index of live versions serves the first. A marker for one agent counts from its delivery
    # on, whose time is by another clock than that of its own row.
    "deployment_objects": """
        SELECT sequence_id, id, stack_id, recipient_id, deleted_at FROM {schema}deployment_objects
        WHERE deleted_at IS NULL AND (created_at <= %(at)s OR recipient_id IS NOT NULL)
        UNION ALL
        SELECT sequence_id, id, stack_id, recipient_id, {deleted_at} FROM {schema}deployment_objects
        WHERE deleted_at IS NOT NULL AND created_at <= %(at)s""",
    # A version is held from its beginning or never. The clocks of its row and of the trigger may differ.
    "object_holds": """
        SELECT version_id FROM object_hold_history WHERE removed_at IS NULL OR removed_at > %(at)s""",
    # Releases are never withdrawn.
    "object_releases": """
        SELECT version_id, agent_id FROM {schema}object_releases WHERE created_at <= %(at)s""",
}
_OF_STACK = """
, chosen AS (SELECT id AS stack_id, generator_id FROM stacks WHERE id = %(stack)s AND deleted_at IS NULL)
SELECT m.agent_id, {wanted} FROM ({serving}) m
JOIN agents a ON a.id = m.agent_id AND a.deleted_at IS NULL
UNION ALL
SELECT d.agent_id, o.sequence_id
FROM agent_marker_deliveries d JOIN deployment_objects o ON o.sequence_id = d.marker_id
JOIN agents a ON a.id = d.agent_id AND a.deleted_at IS NULL
WHERE o.stack_id = %(stack)s AND {is_owed}
"""
# SQLite takes a table of its own name for a recursion, if the schema is not named.
_SCHEMA = {"postgresql": "", "sqlite": "main."}
# The migration that began the history. Its name may get another number when migrations are put in order.
BEGINNING = {"app": "agents", "name__endswith": "_history_tables"}


@cache
def tables_at(vendor: str) -> str:
    """The beginning of a statement (`WITH …`) that asks about the moment in the parameter `at`."""
    names = {"schema": _SCHEMA[vendor], "was_there": _WAS_THERE, "deleted_at": _DELETED_AT}
    tables = ",\n".join(
        f"{name} AS NOT MATERIALIZED ({query.format(**names)})" for name, query in _TABLES.items()
    )
    return f"WITH {tables}\n"


def wanted_of_stack_at(stack_id: UUID, at: datetime) -> dict[UUID, int]:
    """By agent, the sequence id of the version, or of the owed marker, of the stack that it should have had then."""
    sql = tables_at(connection.vendor) + _of_stack(settings.REQUIRE_REGISTRATION)
    rows = fetch_all(sql, {"stack": uuid_parameter(stack_id), "at": moment_parameter(at)})
    return {as_uuid(agent_id): sequence_id for agent_id, sequence_id in rows if sequence_id is not None}


@cache
def _of_stack(registration: bool) -> str:  # noqa: FBT001  # cached by value
    return _OF_STACK.format(
        serving=serving_stacks("chosen", registration=registration),
        wanted=wanted_sql("m.stack_id", "m.agent_id"),
        is_owed=is_owed("d.agent_id", registration=registration),
    )


def moment_parameter(at: datetime) -> object:
    """A moment in the form in which the database stores it."""
    return connection.ops.adapt_datetimefield_value(at)


def known_since(now: datetime) -> datetime:
    """The earliest moment that can be asked about: the migration that began the history, or the retention."""
    beginning: datetime = MigrationRecorder.Migration.objects.get(**BEGINNING).applied
    kept = kept_since(now)
    return beginning if kept is None else max(beginning, kept)


def require_known(at: datetime, *, now: datetime) -> None:
    """Raises MomentNotKnown for a moment in the future, and for one before the history begins."""
    since = known_since(now)
    if not since <= at <= now:
        raise MomentNotKnown(known_since=since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
