"""The statement behind an agent's question for work: whether there is any, by the agent's own key.

It is the rule of matching.py spelled for speed, and a test holds the two together. Almost always there is none.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.prepared import as_time, as_uuid, fetch_one, uuid_parameter

# The first look ends it for all agents while no order waits at all.
_ANY = """
SELECT k.id, k.short_token, k.last_used_at, EXISTS (SELECT 1 FROM work_orders WHERE status = 'PENDING') AND (
    EXISTS (
        SELECT 1 FROM work_order_targets t JOIN work_orders o ON o.id = t.work_order_id
        WHERE t.agent_id = %(agent)s AND o.status = 'PENDING'
    ) OR EXISTS (
        SELECT 1 FROM agent_labels al JOIN work_order_labels l ON l.label = al.label
        JOIN work_orders o ON o.id = l.work_order_id
        WHERE al.agent_id = %(agent)s AND o.status = 'PENDING'
    ) OR EXISTS (
        SELECT 1 FROM agent_annotations aa JOIN work_order_annotations a ON a.key = aa.key AND a.value = aa.value
        JOIN work_orders o ON o.id = a.work_order_id
        WHERE aa.agent_id = %(agent)s AND o.status = 'PENDING'
    )
)
FROM paks k WHERE k.key_hash = %(key_hash)s AND k.role = 'agent' AND k.subject_id = %(agent)s AND k.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The key's row, and whether some order waits for its agent."""

    key_id: UUID
    short_token: str
    last_used_at: datetime | None
    found: bool


def look_for_work(*, agent_id: UUID, key_hash: str) -> Look | None:
    """None when this is not a usable key of this agent. The caller still compares the short token."""
    row = fetch_one(_ANY, {"agent": uuid_parameter(agent_id), "key_hash": key_hash})
    if row is None:
        return None
    key_id, short_token, last_used_at, found = row
    return Look(as_uuid(key_id), short_token, as_time(last_used_at), bool(found))
