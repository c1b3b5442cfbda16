"""Deletes old rows of the audit log, with their seals' knowledge."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Sum

from audit.event_kinds import AuditEventKind
from audit.models import AuditLog, AuditSeal
from audit.services.sealing import lock_chain
from audit.services.signing import current_signer
from audit.verify_export import digest
from core.events import SYSTEM, Event, emit
from core.retention import MAX_STEPS, delete_in_steps

# Of one transaction, besides the entries of its last seal.
_MOST_SEALS = 200
_MOST_ENTRIES = 1_000


def delete_old_entries(*, now: datetime) -> int:
    """Delete the rows that are older than the setting allows. Returns their number.

    Sealed rows go with their seal, when its newest row is old enough, and never before those of an earlier seal.
    """
    if not settings.AUDIT_LOG_RETENTION_DAYS:
        return 0
    kept_since = now - timedelta(days=settings.AUDIT_LOG_RETENTION_DAYS)
    deleted = 0
    for _ in range(MAX_STEPS):
        expired = _expire_seals(kept_since=kept_since, now=now)
        if expired is None:
            break
        deleted += expired
    unsealed = AuditLog.objects.filter(timestamp__lt=kept_since, seal__isnull=True)
    return deleted + delete_in_steps(unsealed.order_by("timestamp", "sequence"))


def expiry_hash(*, through_seal: int, through_hash: str) -> str:
    """What is signed when retention has deleted the entries of all seals up to this one."""
    return digest({"expired": through_hash, "number": through_seal})


@transaction.atomic
def _expire_seals(*, kept_since: datetime, now: datetime) -> int | None:
    """Delete the rows of the oldest seals that are too old; their number, None when no seal is."""
    lock_chain()
    step: list[AuditSeal] = []
    entries = 0
    for seal in AuditSeal.objects.filter(expired_at__isnull=True).order_by("number")[:_MOST_SEALS]:
        if seal.newest_at >= kept_since or (step and entries + seal.entries > _MOST_ENTRIES):
            break
        step.append(seal)
        entries += seal.entries
    if not step:
        return None
    last = step[-1]
    AuditSeal.objects.filter(pk__in=[seal.pk for seal in step]).update(expired_at=now)
    seals = AuditSeal.objects.filter(pk__in=[seal.pk for seal in step], entries__gt=0)
    span = seals.aggregate(first=Min("first_sequence"), last=Max("last_sequence"), entries=Sum("entries"))
    deleted = 0
    if span["entries"]:
        rows = AuditLog.objects.filter(
            sequence__range=(span["first"], span["last"]), seal__range=(step[0].number, last.number)
        )
        deleted, _ = rows.delete()
    signer = current_signer(now=now)
    emit(
        Event(
            kind=AuditEventKind.AUDIT_EXPIRED,
            resource_type=AuditSeal.NOUN,
            resource_id=None,
            actor=SYSTEM,
            at=now,
            details={
                "through_seal": last.number,
                "through_hash": last.hash,
                "seals": len(step),
                "entries": deleted,
                "public_key": signer.public_key,
                "signature": signer.sign(expiry_hash(through_seal=last.number, through_hash=last.hash)),
            },
        )
    )
    return deleted
