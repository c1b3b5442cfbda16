"""The statement behind an agent's poll: which objects it should have now, by their ids.

It makes index look-ups from the agent's side only, takes one round trip for the key and the answer, and costs the same
for ten stacks and for a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import connection

from agents.wanted.legs import served_by_agent
from agents.wanted.versions import wanted_sql
from core.prepared import as_time, as_uuid, fetch_one, uuid_parameter
from paks.key_check import GOOD_KEY_OF_AGENT, agent_key_parameters
from paks.tokens import Token

# The UUID travels with the sequence id because only it is unique for ever: a restored backup hands out old sequence ids
# again.
_ITEM = "o.sequence_id || ':' || o.id"
_ITEMS = """
SELECT {wanted} AS item FROM ({served}) m
UNION ALL
SELECT {item}
FROM agent_marker_deliveries d JOIN deployment_objects o ON o.sequence_id = d.marker_id WHERE d.agent_id = %(agent)s
"""
# In incremental mode, what the agent has reported on is left out; a marker it still owes an answer to is not.
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
# The answer and the key in one statement. The key's row alone decides who calls; nothing is remembered about it.
_WITH_KEY = """
SELECT paks.id, paks.name, paks.last_used_at, ({state})
FROM paks WHERE {good_key}
"""
_WITHOUT_KEY = "SELECT ({state}) FROM agents a WHERE a.id = %(agent)s AND a.deleted_at IS NULL"


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll's one statement tells: the key's row and the objects' ids, newest first.

    The ids are the hex digits of the UUIDs. Twenty UUID objects a poll would cost more than all the rest of it here.
    """

    key_id: UUID
    key_name: str
    last_used_at: datetime | None
    object_ids: Sequence[str]


def poll(*, agent_id: UUID, token: Token, mode: str) -> Poll | None:
    """The agent's state by its own usable key, or None when this is not a usable key of this agent.

    A deleted agent has no usable key.
    """
    sql = _statement(connection.vendor, settings.REQUIRE_REGISTRATION, mode == "incremental", with_key=True)
    row = fetch_one(sql, agent_key_parameters(token, agent_id))
    if row is None:
        return None
    key_id, key_name, last_used_at, state = row
    return Poll(as_uuid(key_id), key_name, as_time(last_used_at), _ids(state))


def state_of(*, agent_id: UUID, mode: str) -> Sequence[str]:
    """The objects' ids as `poll` tells them, for somebody else who asks; none for an unknown or deleted agent."""
    sql = _statement(connection.vendor, settings.REQUIRE_REGISTRATION, mode == "incremental", with_key=False)
    row = fetch_one(sql, {"agent": uuid_parameter(agent_id)})
    return _ids(row[0]) if row else ()


@cache
def _statement(vendor: str, registration: bool, incremental: bool, *, with_key: bool) -> str:  # noqa: FBT001
    items = _ITEMS.format(
        wanted=wanted_sql("m.stack_id", "%(agent)s", columns=_ITEM, check_stack=True),
        served=served_by_agent(vendor, registration=registration),
        item=_ITEM,
    )
    join = "string_agg(x.item, ',')" if vendor == "postgresql" else "group_concat(x.item)"
    unreported = _UNREPORTED.format(item_id=_ITEM_ID[vendor]) if incremental else ""
    state = _STATE.format(join=join, items=items, unreported=unreported)
    return (_WITH_KEY if with_key else _WITHOUT_KEY).format(state=state, good_key=GOOD_KEY_OF_AGENT)


def _ids(joined: str | None) -> Sequence[str]:
    if not joined:
        return ()
    # With hyphens from PostgreSQL, without from SQLite.
    items = joined.replace("-", "").split(",")
    items.sort(key=_sequence_id, reverse=True)
    return [item.partition(":")[2] for item in items]


def _sequence_id(item: str) -> int:
    return int(item.partition(":")[0])
