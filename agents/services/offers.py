"""Recording which versions were sent in answers to agents' polls."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.conf import settings
from django.db import Error
from django.db.models import Exists, OuterRef

from agents.models import AgentOffer
from core.database_errors import unavailable
from core.prepared import fetch_all_once, is_postgresql
from core.retention import delete_in_steps
from stacks.models import DeploymentObject

log = logging.getLogger("brokkr.offers")

# Somebody may hold a stack that the rows refer to, and the answer must not wait for it.
_INSERT = """
WITH s AS MATERIALIZED (SELECT set_config('lock_timeout', '50ms', true))
INSERT INTO agent_offers SELECT n.* FROM s, json_populate_recordset(NULL::agent_offers, %s::json) n
ON CONFLICT DO NOTHING RETURNING id
"""


def note_offers(*, agent_id: UUID, object_ids: Sequence[str]) -> int:
    """Record that the answer to the agent's own poll will contain these objects. The ids are hex digits.

    Only versions of live stacks are recorded, each only once. Returns how many were new. The rows are committed when
    this returns. An error is only logged, because the agent must get its answer.
    """
    if not object_ids:
        return 0
    noted = AgentOffer.objects.filter(agent=agent_id, version=OuterRef("pk"))
    versions = DeploymentObject.objects.versions().filter(
        ~Exists(noted), id__in=object_ids, stack__deleted_at__isnull=True
    )
    try:
        # Always in the order of the ids, so that two polls of one agent do not deadlock.
        new = [
            AgentOffer(agent_id=agent_id, version_id=sequence_id, stack_id=stack_id)
            for sequence_id, stack_id in versions.order_by("pk").values_list("pk", "stack_id")
        ]
        if new:
            _insert(new)
    except Error as error:
        # What the database will do again later needs no traceback.
        is_fault = unavailable(error) is None
        log.warning("offers not noted: %s", error, extra={"agent_id": str(agent_id)}, exc_info=is_fault)
        return 0
    return len(new)


def _insert(offers: Sequence[AgentOffer]) -> None:
    if not is_postgresql():
        AgentOffer.objects.bulk_create(offers, ignore_conflicts=True)
        return
    columns = [field.attname for field in AgentOffer._meta.concrete_fields]
    rows = [{name: getattr(offer, name) for name in columns} for offer in offers]
    fetch_all_once(_INSERT, [orjson.dumps(rows).decode()])


def delete_old_offers(*, now: datetime) -> int:
    """Delete offers older than the setting says, except the newest of each agent and stack; the number deleted."""
    if not settings.AGENT_OFFERS_RETENTION_DAYS:
        return 0
    newer = AgentOffer.objects.filter(
        stack=OuterRef("stack"), agent=OuterRef("agent"), version__gt=OuterRef("version")
    )
    kept_since = now - timedelta(days=settings.AGENT_OFFERS_RETENTION_DAYS)
    return delete_in_steps(AgentOffer.objects.filter(Exists(newer), offered_at__lt=kept_since).order_by("id"))
