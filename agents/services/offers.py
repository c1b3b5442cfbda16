"""Recording which versions were sent in answers to agents' polls."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import Error, connection
from django.db.models import Exists, OuterRef

from agents.models import AgentOffer
from core import clock
from core.database_errors import unavailable
from core.prepared import fetch_all, time_parameter, uuid_parameter
from core.prepared_rows import among, list_parameter
from core.retention import delete_in_steps

log = logging.getLogger("brokkr.offers")

# Always in the order of the ids, so that two polls of one agent do not deadlock.
_NOTE = """
{patience}INSERT INTO agent_offers (id, agent_id, version_id, stack_id, offered_at)
SELECT {new_id}, %(agent)s, o.sequence_id, o.stack_id, %(now)s
FROM {and_patience}deployment_objects o JOIN stacks s ON s.id = o.stack_id
WHERE {among} AND o.deleted_at IS NULL AND o.recipient_id IS NULL AND s.deleted_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM agent_offers n WHERE n.agent_id = %(agent)s AND n.version_id = o.sequence_id
)
ORDER BY o.sequence_id
ON CONFLICT (agent_id, version_id) DO NOTHING
RETURNING version_id
"""
_WORDS = {
    "postgresql": {
        # Somebody may hold a stack that the rows refer to, and the answer must not wait for it.
        "patience": "WITH p AS MATERIALIZED (SELECT set_config('lock_timeout', '50ms', true)) ",
        "and_patience": "p CROSS JOIN ",
        "new_id": "gen_random_uuid()",
    },
    "sqlite": {"patience": "", "and_patience": "", "new_id": "lower(hex(randomblob(16)))"},
}


def note_offers(*, agent_id: UUID, object_ids: Sequence[str]) -> int:
    """Record that the answer to the agent's own poll will contain these objects. The ids are hex digits.

    Only versions of live stacks are recorded, each only once. Returns how many were new. The rows are committed when
    this returns. An error is only logged, because the agent must get its answer.
    """
    if not object_ids:
        return 0
    parameters = {
        "agent": uuid_parameter(agent_id),
        "objects": list_parameter([UUID(hex=object_id) for object_id in object_ids]),
        "now": time_parameter(clock.now()),
    }
    try:
        return len(fetch_all(_statement(connection.vendor), parameters))
    except Error as error:
        # What the database will do again later needs no traceback.
        is_fault = unavailable(error) is None
        log.warning("offers not noted: %s", error, extra={"agent_id": str(agent_id)}, exc_info=is_fault)
        return 0


@cache
def _statement(vendor: str) -> str:
    return _NOTE.format(**_WORDS[vendor], among=among("o.id", "objects"))


def delete_old_offers(*, now: datetime) -> int:
    """Delete offers older than the setting says, except the newest of each agent and stack; the number deleted."""
    if not settings.AGENT_OFFERS_RETENTION_DAYS:
        return 0
    newer = AgentOffer.objects.filter(
        stack=OuterRef("stack"), agent=OuterRef("agent"), version__gt=OuterRef("version")
    )
    kept_since = now - timedelta(days=settings.AGENT_OFFERS_RETENTION_DAYS)
    return delete_in_steps(AgentOffer.objects.filter(Exists(newer), offered_at__lt=kept_since).order_by("id"))
