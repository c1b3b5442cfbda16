"""The statement behind an agent's poll: which objects it should have now, by their ids.

It is the rule of targeting.py spelled for speed, and a test holds the two together: index look-ups from the agent's
side only, one round trip for the key and the answer, the same cost for ten stacks and for a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import connection

from core.prepared import as_time, as_uuid, fetch_one, uuid_parameter
from paks.key_check import GOOD_KEY_OF_AGENT, agent_key_parameters
from paks.tokens import Token

# Matched stacks, each once: UNION drops repetitions. Every leg reads an index that holds all it needs.
_SERVED = """
SELECT t.stack_id FROM agent_targets t WHERE t.agent_id = %(agent)s
UNION
SELECT sl.stack_id FROM agent_labels al {by_label} {registered_label} WHERE al.agent_id = %(agent)s
UNION
SELECT sa.stack_id FROM agent_annotations aa {by_pair} {registered_annotation} WHERE aa.agent_id = %(agent)s
"""
# PostgreSQL does not know which labels an agent carries and, where a few labels are on many stacks, would rather read
# all stack labels. LATERAL with OFFSET keeps it to one index look-up per label of the agent.
_BY_LABEL = {
    "postgresql": "CROSS JOIN LATERAL (SELECT stack_id FROM stack_labels WHERE label = al.label OFFSET 0) sl",
    "sqlite": "JOIN stack_labels sl ON sl.label = al.label",
}
_BY_PAIR = {
    "postgresql": "CROSS JOIN LATERAL "
    "(SELECT stack_id FROM stack_annotations WHERE key = aa.key AND value = aa.value OFFSET 0) sa",
    "sqlite": "JOIN stack_annotations sa ON sa.key = aa.key AND sa.value = aa.value",
}
_REGISTERED = """
JOIN stacks r{leg} ON r{leg}.id = {leg}.stack_id
JOIN agent_generator_registrations g{leg} ON g{leg}.generator_id = r{leg}.generator_id AND g{leg}.agent_id = %(agent)s
"""
# The newest live object of one stack, if the stack lives: two index look-ups. As a scalar subquery they are made once
# per matched stack, where joins would let the planner hash all stacks or group all objects. The UUID travels with the
# sequence id because only it is unique for ever: a restored backup hands out old sequence ids again.
_NEWEST = """
SELECT (SELECT o.sequence_id || ':' || o.id FROM deployment_objects o
        WHERE o.stack_id = m.stack_id AND o.deleted_at IS NULL
        AND EXISTS (SELECT 1 FROM stacks s WHERE s.id = m.stack_id AND s.deleted_at IS NULL)
        ORDER BY o.sequence_id DESC LIMIT 1) AS item
FROM ({served}) m
UNION ALL
SELECT o.sequence_id || ':' || o.id
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
_STATE = "SELECT {join} FROM ({newest}) x {unreported}"
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
    legs = {
        "by_label": _BY_LABEL[vendor],
        "by_pair": _BY_PAIR[vendor],
        "registered_label": _REGISTERED.format(leg="sl") if registration else "",
        "registered_annotation": _REGISTERED.format(leg="sa") if registration else "",
    }
    newest = _NEWEST.format(served=_SERVED.format(**legs))
    join = "string_agg(x.item, ',')" if vendor == "postgresql" else "group_concat(x.item)"
    unreported = _UNREPORTED.format(item_id=_ITEM_ID[vendor]) if incremental else ""
    state = _STATE.format(join=join, newest=newest, unreported=unreported)
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
