"""The statement behind an agent's question for deliveries: whether any is due for it, by the agent's own key.

It is the rule of `services.deliveries.claim_for_agent` spelled for speed, and a test holds the two together. Almost
always there is none: audiences are few, and each is asked for its first due delivery only.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from core.prepared import as_time, as_uuid, fetch_one, uuid_parameter

# A delivery of a disabled subscription counts too: then the view looks closer, and finds none.
_ANY = """
SELECT k.id, k.short_token, k.last_used_at, EXISTS (
    SELECT 1 FROM webhook_audiences a WHERE EXISTS (
        SELECT 1 FROM webhook_deliveries d WHERE d.audience_id = a.id AND d.due_at <= %(now)s
    ) AND NOT EXISTS (
        SELECT 1 FROM webhook_audience_labels l WHERE l.audience_id = a.id AND NOT EXISTS (
            SELECT 1 FROM agent_labels al WHERE al.agent_id = %(agent)s AND al.label = l.label
        )
    )
)
FROM paks k WHERE k.key_hash = %(key_hash)s AND k.role = 'agent' AND k.subject_id = %(agent)s AND k.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The key's row, and whether some delivery may be due for its agent."""

    key_id: UUID
    short_token: str
    last_used_at: datetime | None
    found: bool


def look_for_deliveries(*, agent_id: UUID, key_hash: str, now: datetime) -> Look | None:
    """None when this is not a usable key of this agent. The caller still compares the short token."""
    parameters = {
        "agent": uuid_parameter(agent_id),
        "key_hash": key_hash,
        "now": connection.ops.adapt_datetimefield_value(now),
    }
    row = fetch_one(_ANY, parameters)
    if row is None:
        return None
    key_id, short_token, last_used_at, found = row
    return Look(as_uuid(key_id), short_token, as_time(last_used_at), bool(found))
