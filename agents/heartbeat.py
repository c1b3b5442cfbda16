"""The statement of a heartbeat: it checks the key and writes in one round trip. PostgreSQL only.

SQLite cannot return columns of a joined table, and has no round trips to save: there the ordinary service is used.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from core.prepared import fetch_one
from paks.key_check import GOOD_KEY_OF_AGENT, agent_key_parameters
from paks.tokens import Token

# It is set inside the statement, so that it applies to this transaction only. If PostgreSQL crashes, it may lose the
# heartbeats of the last moments; the next heartbeats repair that. Nothing else is written this way.
_WITHOUT_WAITING = "s AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
_BEAT = """
UPDATE agent_heartbeats h SET last_heartbeat = %(now)s {cluster} {version}
FROM paks {source}
WHERE {good_key} AND h.agent_id = paks.subject_id
RETURNING paks.id, paks.last_used_at
"""
_VERSION = ", agent_version = %(version)s"
_CLUSTER = ", k8s_reachable = %(reachable)s, k8s_api_latency_ms = %(latency)s, k8s_reported_at = %(now)s"


@dataclass(frozen=True, slots=True)
class Beat:
    """The row of the key that was sent with a heartbeat."""

    key_id: UUID
    last_used_at: datetime | None


def beat(
    *,
    agent_id: UUID,
    token: Token,
    now: datetime,
    k8s_reachable: bool | None,
    k8s_api_latency_ms: int | None,
) -> Beat | None:
    """Record the heartbeat of the agent. Returns None and writes nothing if this is not a usable key of the agent."""
    setting, update = beat_sql(settings.HEARTBEAT_DURABLE, k8s_reachable is not None, version=False)
    parameters: dict[str, object] = {**agent_key_parameters(token, agent_id), "now": now}
    if k8s_reachable is not None:
        parameters |= {"reachable": k8s_reachable, "latency": k8s_api_latency_ms}
    row = fetch_one(f"WITH {setting} {update}" if setting else update, parameters)
    return Beat(*row) if row else None


@cache
def beat_sql(durable: bool, cluster: bool, *, version: bool) -> tuple[str, str]:  # noqa: FBT001
    """What must be in the WITH of the statement, if anything, and the UPDATE, which returns the key's id and last use.

    Its parameters are those of `agent_key_parameters` and `now`; with `cluster` also `reachable` and `latency`, with
    `version` also `version`.
    """
    update = _BEAT.format(
        source="" if durable else ", s",
        cluster=_CLUSTER if cluster else "",
        version=_VERSION if version else "",
        good_key=GOOD_KEY_OF_AGENT,
    )
    return "" if durable else _WITHOUT_WAITING, update
