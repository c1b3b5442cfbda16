"""The statement of an agent's poll: the ids of the objects that the agent should have now.

It looks only into indexes, beginning at the agent. It takes one round trip for the key and the answer, and costs
the same with ten stacks as with a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from agents.wanted.legs import is_owed, served_by_agent
from agents.wanted.past import moment_parameter, tables_at
from agents.wanted.versions import wanted_sql
from core.prepared import as_time, as_uuid, database_vendor, fetch_one, uuid_parameter
from paks.key_check import GOOD_KEY_OF_AGENT, agent_key_parameters
from paks.tokens import Token

# The UUID is returned with the sequence id, because only the UUID is unique for ever: after a backup is restored,
# old sequence ids are given again.
_ITEM = "o.sequence_id || ':' || o.id"
_HEX_DIGITS = 32
_ITEMS = """
SELECT {wanted} AS item FROM ({served}) m
UNION ALL
SELECT {item}
FROM agent_marker_deliveries d JOIN deployment_objects o ON o.sequence_id = d.marker_id
WHERE d.agent_id = %(agent)s AND {is_owed}
"""
# The incremental mode leaves out what the agent has reported on, but not a marker that is still owed.
_UNREPORTED = """
WHERE NOT EXISTS (
    SELECT 1 FROM agent_events e
    WHERE e.deployment_object_id = {item_id} AND e.agent_id = %(agent)s AND e.deleted_at IS NULL
) OR EXISTS (
    SELECT 1 FROM agent_marker_deliveries w JOIN deployment_objects u ON u.sequence_id = w.marker_id
    WHERE w.agent_id = %(agent)s AND u.id = {item_id}
)
"""
_ITEM_ID = {
    "postgresql": "split_part(x.item, ':', 2)::uuid",
    "sqlite": "substr(x.item, instr(x.item, ':') + 1)",
}
_STATE = "SELECT {join} FROM ({items}) x {unreported}"
# One statement reads the answer and the key. Only the key's row decides who calls; nothing about it is cached.
_WITH_KEY = """
SELECT paks.id, paks.name, paks.last_used_at, ({state}), {forgotten}
FROM paks WHERE {good_key}
"""
_FORGOTTEN = "(SELECT h.offers_forgotten_at FROM agent_heartbeats h WHERE h.agent_id = %(agent)s)"
_WITHOUT_KEY = "SELECT ({state}) FROM agents a WHERE a.id = %(agent)s AND a.deleted_at IS NULL"


@dataclass(frozen=True, slots=True)
class Poll:
    """What the statement of a poll returns: the key's row and the objects' ids, newest first.

    The ids are the hex digits of the UUIDs: to make twenty UUID objects for a poll would cost more than all the rest.
    `forgotten` is when offers of the agent were last forgotten, in the database's form, if that was asked.
    """

    key_id: UUID
    key_name: str
    last_used_at: datetime | None
    object_ids: Sequence[str]
    forgotten: object


def poll(*, agent_id: UUID, token: Token, mode: str, with_forgotten: bool = False) -> Poll | None:
    """The state of the agent that calls with this key, or None if this is not a usable key of the agent.

    A deleted agent has no usable key.
    """
    sql = _statement(
        database_vendor(),
        settings.REQUIRE_REGISTRATION,
        mode == "incremental",
        with_key=True,
        with_forgotten=with_forgotten,
    )
    row = fetch_one(sql, agent_key_parameters(token, agent_id))
    if row is None:
        return None
    key_id, key_name, last_used_at, state, forgotten = row
    return Poll(as_uuid(key_id), key_name, as_time(last_used_at), object_ids_of(state), forgotten)


def state_of(*, agent_id: UUID, mode: str) -> Sequence[str]:
    """The objects' ids as in `poll`, for another caller than the agent. None for an unknown or deleted agent."""
    sql = _statement(database_vendor(), settings.REQUIRE_REGISTRATION, mode == "incremental", with_key=False)
    row = fetch_one(sql, {"agent": uuid_parameter(agent_id)})
    return object_ids_of(row[0]) if row else ()


def state_at(*, agent_id: UUID, at: datetime) -> Sequence[str]:
    """The objects' ids that a full poll got at this moment, under the settings of today.

    None for an agent that was unknown or deleted then. The caller has checked that the moment is known.
    """
    sql = tables_at(database_vendor()) + _statement(
        database_vendor(),
        settings.REQUIRE_REGISTRATION,
        False,
        with_key=False,
    )
    row = fetch_one(sql, {"agent": uuid_parameter(agent_id), "at": moment_parameter(at)})
    return object_ids_of(row[0]) if row else ()


def object_ids_of(state: str | None) -> Sequence[str]:
    """The objects' ids, newest first, from the value of `state_sql`."""
    if not state:
        return ()
    # PostgreSQL gives UUIDs with hyphens, SQLite without.
    items = state.replace("-", "").split(",")
    # By the sequence ids: all that follows them is equally long, so the longer item has the larger one.
    items.sort(reverse=True)
    items.sort(key=len, reverse=True)
    return [item[-_HEX_DIGITS:] for item in items]


@cache
def _statement(
    vendor: str,
    registration: bool,  # noqa: FBT001
    incremental: bool,  # noqa: FBT001
    *,
    with_key: bool,
    with_forgotten: bool = False,
) -> str:
    return (_WITH_KEY if with_key else _WITHOUT_KEY).format(
        state=state_sql(vendor, registration, incremental),
        forgotten=_FORGOTTEN if with_forgotten else "NULL",
        good_key=GOOD_KEY_OF_AGENT,
    )


@cache
def state_sql(
    vendor: str,
    registration: bool,  # noqa: FBT001
    incremental: bool,  # noqa: FBT001
) -> str:
    """SELECT of one text, which `object_ids_of` reads: the objects that the agent %(agent)s should have."""
    items = _ITEMS.format(
        wanted=wanted_sql("m.stack_id", "%(agent)s", columns=_ITEM, check_stack=True),
        served=served_by_agent(vendor, registration=registration),
        item=_ITEM,
        is_owed=is_owed("d.agent_id", registration=registration),
    )
    join = "string_agg(x.item, ',')" if vendor == "postgresql" else "group_concat(x.item)"
    unreported = _UNREPORTED.format(item_id=_ITEM_ID[vendor]) if incremental else ""
    return _STATE.format(join=join, items=items, unreported=unreported)
