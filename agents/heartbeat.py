"""The statement behind a heartbeat: key and write in one round trip. PostgreSQL only.

SQLite cannot return columns of the table it joins, and needs no saving of round trips: there the ordinary service
serves.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from core.prepared import fetch_one

# Inside the statement, so that it holds for this transaction alone. A crash of PostgreSQL may then forget the
# heartbeats of its last moments, which the next heartbeat repairs; nothing else is ever written this way.
_WITHOUT_WAITING = "WITH s AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
_BEAT = """
{setting} UPDATE agent_heartbeats h SET last_heartbeat = %(now)s {cluster}
FROM paks k {source}
WHERE k.key_hash = %(key_hash)s AND k.role = 'agent' AND k.subject_id = %(agent)s AND k.revoked_at IS NULL
AND (k.short_token = '' OR k.short_token = %(short_token)s) AND h.agent_id = k.subject_id
RETURNING k.id, k.last_used_at
"""
_CLUSTER = ", k8s_reachable = %(reachable)s, k8s_api_latency_ms = %(latency)s, k8s_reported_at = %(now)s"


@dataclass(frozen=True, slots=True)
class Beat:
    """The key that a heartbeat came with."""

    key_id: UUID
    last_used_at: datetime | None


def beat(
    *,
    agent_id: UUID,
    key_hash: str,
    short_token: str,
    now: datetime,
    k8s_reachable: bool | None,
    k8s_api_latency_ms: int | None,
) -> Beat | None:
    """Record the heartbeat of the agent whose usable key this is; None, and nothing written, when it is not."""
    sql = _statement(settings.HEARTBEAT_DURABLE, k8s_reachable is not None)
    parameters: dict[str, object] = {
        "agent": agent_id,
        "key_hash": key_hash,
        "short_token": short_token,
        "now": now,
    }
    if k8s_reachable is not None:
        parameters |= {"reachable": k8s_reachable, "latency": k8s_api_latency_ms}
    row = fetch_one(sql, parameters)
    return Beat(*row) if row else None


@cache
def _statement(durable: bool, cluster: bool) -> str:  # noqa: FBT001
    return _BEAT.format(
        setting="" if durable else _WITHOUT_WAITING,
        source="" if durable else ", s",
        cluster=_CLUSTER if cluster else "",
    )
