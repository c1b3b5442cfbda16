"""The statement behind an agent's question for diagnostics: whether any may be waiting, by the agent's own key.

Almost always none is. When one is, the rule of `DiagnosticQuerySet.claimable` says which.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.prepared import as_time, as_uuid, fetch_one, uuid_parameter

_ANY = """
SELECT k.id, k.short_token, k.last_used_at, EXISTS (
    SELECT 1 FROM diagnostic_requests d WHERE d.agent_id = %(agent)s AND d.status = 'pending'
)
FROM paks k WHERE k.key_hash = %(key_hash)s AND k.role = 'agent' AND k.subject_id = %(agent)s AND k.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The key's row, and whether some request waits for its agent."""

    key_id: UUID
    short_token: str
    last_used_at: datetime | None
    found: bool


def look_for_diagnostics(*, agent_id: UUID, key_hash: str) -> Look | None:
    """None when this is not a usable key of this agent. The caller still compares the short token."""
    row = fetch_one(_ANY, {"agent": uuid_parameter(agent_id), "key_hash": key_hash})
    if row is None:
        return None
    key_id, short_token, last_used_at, found = row
    return Look(as_uuid(key_id), short_token, as_time(last_used_at), bool(found))
