"""The statement of a sync: what the agent should have, and whether orders or diagnostics wait for it.

On PostgreSQL the same statement also checks the key and records the heartbeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

from agents.heartbeat import beat_sql
from agents.target_state import object_ids_of, state_sql
from core.prepared import database_vendor, fetch_one, uuid_parameter
from diagnostics.open_requests import WAITING
from paks.key_check import agent_key_parameters
from paks.tokens import Token
from sync.snapshot import SELECT, shortened
from workorders.claimable_work import CLAIMABLE

_COLUMNS = (
    "(SELECT a.status FROM agents a WHERE a.id = %(agent)s), ({state}), ({work}), ({diagnostics}), ({seen})"
)
_LOOK = "SELECT {columns} FROM agents WHERE id = %(agent)s AND deleted_at IS NULL"
_BEAT_AND_LOOK = "WITH {setting} beat AS ({update}) SELECT beat.id, beat.last_used_at, {columns} FROM beat"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What an agent says about itself and its cluster; None is what it does not say."""

    k8s_reachable: bool | None = None
    k8s_api_latency_ms: int | None = None
    agent_version: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What there is for an agent. The ids are hex digits, newest first, those of a full poll."""

    agent_status: str
    object_ids: Sequence[str]
    has_work: bool
    has_diagnostics: bool
    # Which changes are in the answer: a snapshot in the form of `sync/snapshot.py`.
    seen: str


@dataclass(frozen=True, slots=True)
class KeyedLook:
    """A look with the row of the key."""

    key_id: UUID
    last_used_at: datetime | None
    look: Look


def look(agent_id: UUID) -> Look | None:
    """What there is for the agent, or None for an unknown or deleted one."""
    columns = _columns(database_vendor(), settings.REQUIRE_REGISTRATION)
    row = fetch_one(_LOOK.format(columns=columns), {"agent": uuid_parameter(agent_id)})
    return _look(row) if row else None


def beat_and_look(*, agent_id: UUID, token: Token, now: datetime, heartbeat: Heartbeat) -> KeyedLook | None:
    """Record the heartbeat of the agent and look, in one statement. PostgreSQL only.

    Returns None and writes nothing if this is not a usable key of the agent.
    """
    cluster, version = heartbeat.k8s_reachable is not None, heartbeat.agent_version is not None
    parameters: dict[str, object] = {**agent_key_parameters(token, agent_id), "now": now}
    if cluster:
        parameters |= {"reachable": heartbeat.k8s_reachable, "latency": heartbeat.k8s_api_latency_ms}
    if version:
        parameters["version"] = heartbeat.agent_version
    row = fetch_one(
        _beat_and_look(
            database_vendor(), settings.REQUIRE_REGISTRATION, settings.HEARTBEAT_DURABLE, cluster, version
        ),
        parameters,
    )
    return KeyedLook(row[0], row[1], _look(row[2:])) if row else None


def _look(row: Sequence[Any]) -> Look:
    status, state, has_work, has_diagnostics, seen = row
    return Look(status, object_ids_of(state), bool(has_work), bool(has_diagnostics), shortened(seen))


@cache
def _columns(vendor: str, registration: bool) -> str:  # noqa: FBT001
    state = state_sql(vendor, registration, False)
    return _COLUMNS.format(state=state, work=CLAIMABLE, diagnostics=WAITING, seen=SELECT[vendor])


@cache
def _beat_and_look(
    vendor: str,
    registration: bool,  # noqa: FBT001
    durable: bool,  # noqa: FBT001
    cluster: bool,  # noqa: FBT001
    version: bool,  # noqa: FBT001
) -> str:
    setting, update = beat_sql(durable, cluster, version=version)
    columns = _columns(vendor, registration)
    return _BEAT_AND_LOOK.format(setting=f"{setting}," if setting else "", update=update, columns=columns)
