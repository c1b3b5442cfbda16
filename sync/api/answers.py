"""The answer to a sync, for the view and for the lane."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from agents.api.state import state_etag
from agents.services.offers import note_offers
from core import clock
from core.api.renderers import to_json
from core.errors import DatabaseUnavailable
from diagnostics.api.serializers import DiagnosticRequestSerializer
from diagnostics.models import DiagnosticRequest
from stacks.models import DeploymentObject
from sync.look import Look
from sync.removals import reason_of
from sync.services import Renewed
from workorders.api.serializers import WorkOrderSerializer
from workorders.matching import pending_for

# The agent works on few at once; it hears of the others when it has finished these.
_MAX_OFFERS = 10


def answer(
    agent_id: UUID,
    found: Look,
    *,
    tag: str | None,
    held: Collection[str],
    renewals: Sequence[Renewed] = (),
    unknown_reports: Sequence[UUID] = (),
    confirmed_removals: Sequence[UUID] = (),
) -> bytes:
    """The answer as JSON. If it has a state, the versions in it are noted as offered.

    Raises DatabaseUnavailable if an object was removed after its id was read.
    """
    is_active = found.agent_status == "ACTIVE"
    present = state_etag(found.object_ids).strip('"') if is_active else None
    return to_json(
        {
            "tag": present,
            "agent_status": found.agent_status,
            "next_sync_seconds": settings.SYNC_INTERVAL_SECONDS,
            "seen": found.seen,
            "state": _state(agent_id, found.object_ids, held) if is_active and tag != present else None,
            "work_orders": _work_orders(agent_id) if is_active and found.has_work else [],
            "diagnostics": _diagnostics(agent_id) if is_active and found.has_diagnostics else [],
            "renewals": [
                {
                    "work_order_id": each.work_order_id,
                    "claim_expires_at": each.claim_expires_at,
                    "code": each.code,
                }
                for each in renewals
            ],
            "unknown_reports": unknown_reports,
            "confirmed_removals": confirmed_removals,
        }
    )


def _state(agent_id: UUID, object_ids: Sequence[str], held: Collection[str]) -> dict[str, object]:
    rows = DeploymentObject.objects.filter(id__in=object_ids).select_related("stack")
    objects = {obj.id.hex: obj for obj in rows.defer("yaml_content")}
    if len(objects) < len(object_ids):
        # An answer without it would look as if the agent need not have it.
        raise DatabaseUnavailable
    holds = set(held)
    versions = [objects[object_id] for object_id in object_ids if not objects[object_id].is_deletion_marker]
    wanted = [obj.id for obj in versions if obj.yaml_checksum not in holds]
    texts = dict(DeploymentObject.objects.filter(id__in=wanted).values_list("id", "yaml_content"))
    note_offers(agent_id=agent_id, object_ids=object_ids)
    return {
        "versions": [
            {
                "id": obj.id,
                "stack_id": obj.stack_id,
                "stack_name": obj.stack.name,
                "sequence_id": obj.sequence_id,
                "yaml_checksum": obj.yaml_checksum,
                "yaml_content": texts.get(obj.id),
            }
            for obj in versions
        ],
        "removals": [
            {
                "id": obj.id,
                "stack_id": obj.stack_id,
                "sequence_id": obj.sequence_id,
                "reason": reason_of(obj),
            }
            for obj in (objects[object_id] for object_id in object_ids)
            if obj.is_deletion_marker
        ],
    }


def _work_orders(agent_id: UUID) -> list[dict[str, Any]]:
    orders = pending_for(agent_id).order_by("created_at", "id")[:_MAX_OFFERS]
    return list(WorkOrderSerializer(orders, many=True).data)


def _diagnostics(agent_id: UUID) -> list[dict[str, Any]]:
    waiting = DiagnosticRequest.objects.claimable(clock.now()).filter(agent_id=agent_id)
    return list(
        DiagnosticRequestSerializer(waiting.order_by("created_at", "id")[:_MAX_OFFERS], many=True).data
    )
