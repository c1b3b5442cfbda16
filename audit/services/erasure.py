"""Erasing what rows say of people. The seals hold all the same."""

from django.db import transaction
from django.db.models import QuerySet

from audit.errors import ErasureReasonRequired
from audit.event_kinds import AuditEventKind
from audit.exported import PARTS, digest_of_part
from audit.models import AuditLog, AuditSeal
from core.events import Actor, Event, emit

_STEP = 500


def erase(*, rows: QuerySet[AuditLog], part: str, reason: str, actor: Actor) -> int:
    """Erase a part of these rows, "author" or "content", for ever; the number of rows.

    In its place stays a digest, which tells nothing without the salt, and the salt goes too. What the log says of
    itself stays, because verification needs it. Raises ErasureReasonRequired.
    """
    if not reason.strip():
        raise ErasureReasonRequired
    newest = erased = 0
    while True:
        with transaction.atomic():
            chosen = rows.exclude(resource_type=AuditSeal.NOUN).filter(sequence__gt=newest)
            step = list(chosen.order_by("sequence").select_for_update()[:_STEP])
            if not step:
                return erased
            newest = step[-1].sequence
            whole = [row for row in step if part not in (row.erased or {})]
            for row in whole:
                _erase(row, part)
            if whole:
                _tell(whole, part, reason, actor)
            erased += len(whole)


def _erase(row: AuditLog, part: str) -> None:
    row.erased = {**(row.erased or {}), part: digest_of_part(row, part)}
    names = (*PARTS[part], f"{part}_salt")
    for name in names:
        setattr(row, name, None if AuditLog._meta.get_field(name).null else "")
    row.save(update_fields=["erased", *names])


def _tell(rows: list[AuditLog], part: str, reason: str, actor: Actor) -> None:
    emit(
        Event(
            kind=AuditEventKind.AUDIT_ERASED,
            resource_type=AuditSeal.NOUN,
            resource_id=None,
            actor=actor,
            details={
                "part": part,
                "entries": len(rows),
                "first_sequence": rows[0].sequence,
                "last_sequence": rows[-1].sequence,
            },
            reason=reason,
        )
    )
