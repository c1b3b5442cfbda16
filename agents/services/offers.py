"""Recording which versions were sent in answers to agents' polls."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from uuid import UUID

from cachetools import LRUCache
from django.conf import settings
from django.db import Error
from django.db.models import Exists, OuterRef

from agents.models import AgentOffer
from core import clock
from core.database_errors import unavailable
from core.prepared import database_vendor, fetch_all, time_parameter, uuid_parameter
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


# By agent, the tag of the latest answer whose objects are all recorded, and when offers of the agent had been forgotten
# last: an agent that sends no tag gets the same answer at each poll. No other offers that count are ever deleted.
_recorded: LRUCache[UUID, tuple[str, object]] = LRUCache(50_000)
_lock = Lock()


def note_state(*, agent_id: UUID, tag: str, forgotten: object, object_ids: Sequence[str]) -> None:
    """As `note_offers`, for a whole target state with this tag; it asks the database once for each tag.

    `forgotten` is when offers of the agent were last forgotten, read together with the state.
    """
    state = (tag, forgotten)
    with _lock:
        if _recorded.get(agent_id) == state:
            return
    if note_offers(agent_id=agent_id, object_ids=object_ids):
        with _lock:
            _recorded[agent_id] = state


def note_offers(*, agent_id: UUID, object_ids: Sequence[str]) -> bool:
    """Record that the answer to the agent's own poll will contain these objects. The ids are hex digits.

    Only versions of live stacks are recorded, each only once. The rows are committed when this returns. An error is
    only logged, because the agent must get its answer; then it returns False.
    """
    if not object_ids:
        return True
    parameters = {
        "agent": uuid_parameter(agent_id),
        "objects": list_parameter([UUID(hex=object_id) for object_id in object_ids]),
        "now": time_parameter(clock.now()),
    }
    try:
        fetch_all(_statement(database_vendor()), parameters)
    except Error as error:
        # What the database will do again later needs no traceback.
        is_fault = unavailable(error) is None
        log.warning("offers not noted: %s", error, extra={"agent_id": str(agent_id)}, exc_info=is_fault)
        return False
    return True


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
